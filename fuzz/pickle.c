/* Pickles of torch's checkpoints, in the first member of a zip archive or in the older format,
 * then what is said to be their storages. */
#include "lib/scanned.h"

enum { MOST = 1 << 14 };

/* A member that is stored, its size not told before it. */
static void put_member(nz_buf *to, const char *name)
{
    uint8_t head[30] = "PK\3\4\0\0\x08";
    nz_store16(head + 26, (uint16_t)strlen(name));
    nz_buf_put(to, head, sizeof head);
    nz_buf_put(to, name, strlen(name));
}

/* The record behind it. */
static void put_size(nz_buf *to, size_t n)
{
    uint8_t record[16] = "PK\7\10";
    nz_store32(record + 8, (uint32_t)n);
    nz_store32(record + 12, (uint32_t)n);
    nz_buf_put(to, record, sizeof record);
}

static void put_zip(nz_buf *to, nz_span pickle, nz_span data)
{
    static const char *const members[] = {"a/data/0", "a/data/1"};
    put_member(to, "a/data.pkl");
    nz_buf_put(to, pickle.at, nz_span_left(&pickle));
    put_size(to, nz_span_left(&pickle));
    for (int i = 0; i < 2; i++) {
        put_member(to, members[i]);
        nz_buf_put(to, data.at, nz_span_left(&data));
        put_size(to, nz_span_left(&data));
    }
}

/* Magic number, protocol, system; object, keys and storages are the input's. */
static void put_legacy(nz_buf *to, nz_span pickle)
{
    static const char head[] = "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
                               "\x80\2M\xe9\3."
                               "\x80\2}q\0X\x0d\0\0\0little_endianq\1\x88s.";
    nz_buf_put(to, head, sizeof head - 1);
    nz_buf_put(to, pickle.at, nz_span_left(&pickle));
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    nz_buf all = {0};
    nz_span from = choices_of(in, &n, 2), left = nz_span_of(in, n);
    if (!n || n > MOST)
        return 0;
    bool old = choose(&from, 2);
    nz_span data = choose_bytes(&from, 1);
    if (old)
        put_legacy(&all, left);
    else
        put_zip(&all, left, data);
    check(!all.failed);
    use_scan(all.p, all.n);
    nz_buf_free(&all);
    return 0;
}
