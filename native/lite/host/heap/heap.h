#ifndef PLUGD_HEAP_H
#define PLUGD_HEAP_H
#include <stdbool.h>
#include <sys/types.h>

#include "quickjs.h"

/* The engine's memory. */
extern const JSMallocFunctions heap_functions;
/* Makes sure that the heap's place is there, before anything else takes memory; false when something else is in it. */
bool heap_place(void);
/* An empty heap; before the engine is made. */
void heap_begin(void);
/* Puts what comes next where a layout says. */
void heap_follow(const char *layout);
/* Tells the layout which pieces are free. */
void heap_tell_free(void);
/* The context of the heap that came with the program; NULL where there is none that fits: then heap_begin. */
JSContext *heap_copied(void);
/* Writes the heap for build/elf.mjs, to be put behind this program: 0 or -errno; -E2BIG when it does not lie in one piece. */
int heap_write(JSContext *ctx, const char *file);

#endif
