/* Decompression: none of its own yet; JavaScript then runs the program (xz, zstd). */
#include "host.h"

HOST_FUNCTION(decompression_decompress)
{
	return JS_NewInt32(ctx, -ENOSYS);
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("decompress", 4, decompression_decompress),
};
const struct host_part host_decompression = {functions, sizeof(functions) / sizeof(*functions)};
