/* Files that the library holds as they are. The assembler includes them: no tool of the machine we
 * build for is needed, nor a compiler's time. */
#ifndef NZ_EMBED_H
#define NZ_EMBED_H

#include <stdint.h>

/* Defines the bytes of a file, named from the top of the tree. */
#define NZ_EMBED(name, file)                 \
    __asm__(".pushsection .rodata\n"         \
            ".hidden " #name "\n"            \
            ".globl " #name "\n" #name ":\n" \
            ".incbin \"" file "\"\n"         \
            ".popsection\n");                \
    extern const uint8_t name[]

#endif
