/* Bytes that grow. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

int plugd_text_append(struct plugd_text *text, const char *bytes, size_t size)
{
	if (size > text->capacity - text->size) {
		size_t capacity = 2 * (text->size + size) + 4096;
		char *data = realloc(text->data, capacity);

		if (!data)
			return -ENOMEM;
		text->data = data;
		text->capacity = capacity;
	}
	memcpy(text->data + text->size, bytes, size);
	text->size += size;
	return 0;
}

void plugd_text_free(struct plugd_text *text)
{
	free(text->data);
	memset(text, 0, sizeof(*text));
}
