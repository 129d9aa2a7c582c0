#ifndef PLUGD_LAYOUT_H
#define PLUGD_LAYOUT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From now on each piece gets pages of its own; false without memory. */
bool layout_observe(void);
/* Whether layout_observe was called. */
bool layout_observes(void);
/* In a child: takes note of every piece that it reads or writes from now on. */
bool layout_watch(void);
/* This piece is free when the heap is copied. */
void layout_free(const void *piece);
/* Writes what is known: 0 or -errno. */
int layout_write(const char *file);

/* From now on pieces lie as the file says, from `begin` on and, those that the copy leaves out, from `outside` on: where the rest begins. */
uint8_t *layout_follow(const char *file, uint8_t *begin, uint8_t *outside);
/* The end of the part that every start writes to; `begin` without a layout. */
const uint8_t *layout_written_end(const uint8_t *begin);
/* Whether this piece was put outside. */
bool layout_is_outside(const void *piece);
/* How many were put there. */
size_t layout_outside_count(void);

/* The place of the next piece; NULL: wherever there is room. */
void *layout_place(size_t size);

#endif
