/* The tests without Criterion: in one process, one after the other, the first broken promise ends
 * it. TSan, MSan and valgrind do not bear Criterion's processes. Words behind the program's name
 * choose the tests whose names hold one of them. */
#ifndef NZ_PLAIN_CRITERION_H
#define NZ_PLAIN_CRITERION_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct plain_test {
    const char *name;
    void (*run)(void), (*init)(void);
    double timeout; /* not kept */
    struct plain_test *next;
} plain_test;

static plain_test *plain_tests, **plain_last = &plain_tests, *plain_suites;
static const char *plain_running;

static inline void plain_add(plain_test *t)
{
    *plain_last = t;
    plain_last = &t->next;
}

static inline void plain_add_suite(plain_test *t)
{
    t->next = plain_suites;
    plain_suites = t;
}

#define TestSuite(suite, ...)                                            \
    static plain_test suite##_suite = {.name = #suite "/", __VA_ARGS__}; \
    __attribute__((constructor)) static void suite##_suite_add(void)     \
    {                                                                    \
        plain_add_suite(&suite##_suite);                                 \
    }                                                                    \
    struct suite##_suite

#define Test(suite, title, ...)                                          \
    static void suite##_##title(void);                                   \
    static plain_test suite##_##title##_test = {                         \
        .name = #suite "/" #title, .run = suite##_##title, __VA_ARGS__}; \
    __attribute__((constructor)) static void suite##_##title##_add(void) \
    {                                                                    \
        plain_add(&suite##_##title##_test);                              \
    }                                                                    \
    static void suite##_##title(void)

__attribute__((format(printf, 4, 5))) static inline void
plain_fail(const char *file, int line, const char *promise, const char *more, ...)
{
    va_list args;
    va_start(args, more);
    fprintf(stderr, "FAIL %s: %s:%d: %s: ", plain_running, file, line, promise);
    vfprintf(stderr, more, args);
    fprintf(stderr, "\n");
    exit(1);
}

#define cr_assert(c, ...)              ((c) ? (void)0 : plain_fail(__FILE__, __LINE__, #c, " " __VA_ARGS__))
#define cr_assert_not(c, ...)          cr_assert(!(c), __VA_ARGS__)
#define cr_assert_null(p, ...)         cr_assert(!(p), __VA_ARGS__)
#define cr_assert_fail(...)            cr_assert(false, __VA_ARGS__)
#define cr_assert_eq(a, b, ...)        cr_assert((a) == (b), __VA_ARGS__)
#define cr_expect_eq(a, b, ...)        cr_assert((a) == (b), __VA_ARGS__)
#define cr_assert_neq(a, b, ...)       cr_assert((a) != (b), __VA_ARGS__)
#define cr_assert_lt(a, b, ...)        cr_assert((a) < (b), __VA_ARGS__)
#define cr_assert_leq(a, b, ...)       cr_assert((a) <= (b), __VA_ARGS__)
#define cr_assert_gt(a, b, ...)        cr_assert((a) > (b), __VA_ARGS__)
#define cr_assert_geq(a, b, ...)       cr_assert((a) >= (b), __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...)    cr_assert(!strcmp(a, b), __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...)   cr_assert(strcmp(a, b), __VA_ARGS__)
#define cr_assert_arr_eq(a, b, n, ...) cr_assert(!memcmp(a, b, n), __VA_ARGS__)
#define cr_skip_test(...)              return

static bool plain_chosen(const plain_test *t, int words, char **word)
{
    for (int i = 0; i < words; i++)
        if (strstr(t->name, word[i]))
            return true;
    return !words;
}

static void plain_run(const plain_test *t)
{
    plain_running = t->name;
    for (const plain_test *s = plain_suites; s; s = s->next)
        if (!strncmp(s->name, t->name, strlen(s->name)) && s->init)
            s->init();
    if (t->init)
        t->init();
    t->run();
}

int main(int args, char **arg)
{
    int run = 0;
    for (const plain_test *t = plain_tests; t; t = t->next)
        if (plain_chosen(t, args - 1, arg + 1)) {
            plain_run(t);
            run++;
        }
    printf("%d tests\n", run);
    return !run;
}

#endif
