// The model that comes with the program, as the bytes of its file; length 0 where none does.
#pragma once
#include <stddef.h>

const unsigned char *csd_shipped(size_t *length);
