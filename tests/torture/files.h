/* Contents of files and of small folders, in memory, for comparing. Out of memory ends the program:
 * it is a test. */
#ifndef NZ_TORTURE_FILES_H
#define NZ_TORTURE_FILES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct blob {
    unsigned char *p;
    size_t n;
} blob;

blob blob_read(const char *path); /* p is NULL when there is no such file */
void blob_write(const char *path, blob b);
blob blob_copy(blob b);
bool blob_same(blob a, blob b);
bool blob_starts(blob a, blob b); /* a with b */
void blob_free(blob *b);

typedef struct named {
    char *name; /* below the folder: "a", "d/m" */
    blob is;
} named;

typedef struct tree {
    named *file; /* by name */
    size_t n;
} tree;

tree tree_read(const char *folder);
/* Makes the folder hold just these files. */
void tree_write(const char *folder, const tree *t);
const named *tree_find(const tree *t, const char *name); /* NULL: it is not there */
void tree_add(tree *t, const char *name, blob b);        /* which is then the tree's */
void tree_free(tree *t);
void folder_remove(const char *folder);

char *text(const char *format, ...) __attribute__((format(printf, 1, 2))); /* malloc's */

#endif
