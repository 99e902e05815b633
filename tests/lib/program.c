/* What a user of the library might write, in C or C++: packs, unpacks and compares. */
#include <nz.h>
#include <stdio.h>
#include <string.h>

static unsigned char text[4000], archive[5000], back[4000];

int main(void)
{
    nz_options opt;
    size_t packed, raw;
    memset(&opt, 0, sizeof opt);
    opt.level = 1;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (unsigned char)(i % 7 * (i % 11));
    nz_err err = nz_pack(archive, sizeof archive, &packed, text, sizeof text, &opt);
    if (!err)
        err = nz_unpack(back, sizeof back, &raw, archive, packed, &opt);
    if (err || raw != sizeof text || packed >= raw || memcmp(text, back, raw) != 0) {
        printf("%s: %s\n", nz_version(), nz_err_text(err));
        return 1;
    }
    printf("%s: %zu -> %zu\n", nz_version(), raw, packed);
    return 0;
}
