/* What the command says on stderr, and the exit status that follows from it. */
#ifndef NZ_CLI_MESSAGE_H
#define NZ_CLI_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

enum { STATUS_OK = 0, STATUS_ERROR = 1, STATUS_WARNING = 2 };

#define SAYS __attribute__((format(printf, 1, 2)))

void say_error(const char *format, ...) SAYS;   /* the exit status becomes 1; silent with -qq */
void say_warning(const char *format, ...) SAYS; /* becomes 2 unless it is 1; silent with -q */
void say_note(const char *format, ...) SAYS;    /* no effect on the status; silent with -q */
void say_quietly(int quiet);                    /* so many -q */
void say_failed(void);                          /* the status of an error, without words */
int say_status(void);

#define SIZE_TEXT 24
/* "1.50 MiB", in the caller's buffer. */
const char *size_text(char text[SIZE_TEXT], uint64_t bytes);

#endif
