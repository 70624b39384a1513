#ifndef COnnx_h
#define COnnx_h

#include <stddef.h>
#include <stdint.h>

// onnxruntime, loaded at run time when it is there: a build does not need it, and without it a detector that somebody
// added is off. Only what one float image in, one row of floats out takes.

enum { CO_OK = 0, CO_NOT_INSTALLED = 1, CO_INCOMPATIBLE = 2, CO_FAILED = 3, CO_WRONG_SHAPE = 4, CO_NOT_STARTED = 5 };

typedef struct co_model co_model;

// Four sides as the model states them; -1 where it takes any.
typedef struct co_shape {
  int64_t sides[4];
} co_shape;

// Loads the library and makes its environment, once; later calls repeat the first answer. Not for several threads.
int co_start(const char *library);
// Such as "1.20.1"; "" before co_start has succeeded.
const char *co_version(void);
// The library's own words for the last failure.
const char *co_last_error(void);

// The model must take exactly one float tensor of rank four. The bytes are not needed afterwards.
int co_open(const void *bytes, size_t length, co_model **out, co_shape *input);
// Runs one image. `count` is what the first output holds; CO_WRONG_SHAPE when that is no float or more than `capacity`.
int co_run(co_model *model, const float *samples, size_t sample_count, const int64_t sides[4], float *out,
           size_t capacity, size_t *count);
void co_close(co_model *model);

#endif
