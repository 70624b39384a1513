#include "COnnx.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// onnxruntime's C interface is a table of functions that only ever grows at its end: the first 102 entries are those of
// version 1 and their places are asserted in its own source. Version 10 of the table is asked for, which every library
// since 1.10 hands out. Only the places used here are named.
enum {
  GET_ERROR_MESSAGE = 2,
  CREATE_ENV = 3,
  DISABLE_TELEMETRY = 6,
  CREATE_SESSION_FROM_ARRAY = 8,
  RUN = 9,
  CREATE_SESSION_OPTIONS = 10,
  DISABLE_MEM_PATTERN = 17,
  DISABLE_CPU_MEM_ARENA = 19,
  SET_LOG_SEVERITY = 22,
  SET_INTRA_THREADS = 24,
  SET_INTER_THREADS = 25,
  INPUT_COUNT = 30,
  OUTPUT_COUNT = 31,
  INPUT_TYPE_INFO = 33,
  INPUT_NAME = 36,
  OUTPUT_NAME = 37,
  CREATE_TENSOR_WITH_DATA = 49,
  TENSOR_DATA = 51,
  CAST_TO_TENSOR_INFO = 55,
  ELEMENT_TYPE = 60,
  DIMENSIONS_COUNT = 61,
  DIMENSIONS = 62,
  ELEMENT_COUNT = 64,
  TENSOR_TYPE_AND_SHAPE = 65,
  CREATE_CPU_MEMORY_INFO = 69,
  ALLOCATOR_FREE = 76,
  DEFAULT_ALLOCATOR = 78,
  RELEASE_STATUS = 93,
  RELEASE_SESSION = 95,
  RELEASE_VALUE = 96,
  RELEASE_TYPE_INFO = 98,
  RELEASE_TENSOR_INFO = 99,
  RELEASE_SESSION_OPTIONS = 100,
};
enum { TABLE_VERSION = 10, FLOAT_ELEMENTS = 1, LOG_FATAL = 4, DEVICE_ALLOCATOR = 0, DEFAULT_MEMORY = 0 };

typedef void *status_ref;
typedef void (*function)(void);

struct api_base {
  const function *(*get_api)(uint32_t version);
  const char *(*get_version)(void);
};

static const function *api;
static const char *version = "";
static void *environment, *allocator, *memory;
static int started = -1;
static char last_error[401];

#define CALL(slot, type) ((type)api[slot])
typedef status_ref (*taking_one)(void *);
typedef status_ref (*taking_int)(void *, int);
typedef status_ref (*count_of)(const void *, size_t *);
typedef status_ref (*named)(const void *, size_t, void *, char **);
typedef void (*release)(void *);

static void say(const char *text) {
  strncpy(last_error, text ? text : "", sizeof last_error - 1);
  last_error[sizeof last_error - 1] = 0;
}

// 1 when it went well. A status is an object that must be given back.
static int fine(status_ref status) {
  if (!status) return 1;
  say(CALL(GET_ERROR_MESSAGE, const char *(*)(status_ref))(status));
  CALL(RELEASE_STATUS, release)(status);
  return 0;
}

static int load(const char *library) {
  // RTLD_NOW: a symbol that is missing must be missing now, not after the worker is locked.
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    say(dlerror());
    return CO_NOT_INSTALLED;
  }
  const struct api_base *(*base_of)(void) = (const struct api_base *(*)(void))dlsym(handle, "OrtGetApiBase");
  const struct api_base *base = base_of ? base_of() : NULL;
  if (base) api = base->get_api(TABLE_VERSION);
  if (!api) {
    say("no table of version 10");
    return CO_INCOMPATIBLE;
  }
  if (!fine(CALL(CREATE_ENV, status_ref(*)(int, const char *, void **))(LOG_FATAL, "atelier", &environment)))
    return CO_INCOMPATIBLE;
  // Nothing about a picture leaves the machine.
  if (!fine(CALL(DISABLE_TELEMETRY, taking_one)(environment))) return CO_INCOMPATIBLE;
  if (!fine(CALL(DEFAULT_ALLOCATOR, status_ref(*)(void **))(&allocator))) return CO_INCOMPATIBLE;
  if (!fine(CALL(CREATE_CPU_MEMORY_INFO, status_ref(*)(int, int, void **))(DEVICE_ALLOCATOR, DEFAULT_MEMORY, &memory)))
    return CO_INCOMPATIBLE;
  version = base->get_version();
  return CO_OK;
}

int co_start(const char *library) {
  if (started < 0) started = load(library);
  return started;
}

const char *co_version(void) { return version; }
const char *co_last_error(void) { return last_error; }

struct co_model {
  void *session;
  char *input, *output;
};

void co_close(co_model *model) {
  if (!model) return;
  if (model->input) fine(CALL(ALLOCATOR_FREE, status_ref(*)(void *, void *))(allocator, model->input));
  if (model->output) fine(CALL(ALLOCATOR_FREE, status_ref(*)(void *, void *))(allocator, model->output));
  if (model->session) CALL(RELEASE_SESSION, release)(model->session);
  free(model);
}

// One thread, because the worker may make none that outlive a job; no arena, so that memory is given back.
static void *session_options(void) {
  void *options = NULL;
  if (!fine(CALL(CREATE_SESSION_OPTIONS, status_ref(*)(void **))(&options))) return NULL;
  int set = fine(CALL(SET_INTRA_THREADS, taking_int)(options, 1)) &&
            fine(CALL(SET_INTER_THREADS, taking_int)(options, 1)) &&
            fine(CALL(SET_LOG_SEVERITY, taking_int)(options, LOG_FATAL)) &&
            fine(CALL(DISABLE_MEM_PATTERN, taking_one)(options)) &&
            fine(CALL(DISABLE_CPU_MEM_ARENA, taking_one)(options));
  if (set) return options;
  CALL(RELEASE_SESSION_OPTIONS, release)(options);
  return NULL;
}

static int input_shape(co_model *model, co_shape *shape) {
  void *type = NULL;
  const void *tensor = NULL;
  int element = 0, result = CO_FAILED;
  size_t rank = 0;
  if (!fine(CALL(INPUT_TYPE_INFO, status_ref(*)(const void *, size_t, void **))(model->session, 0, &type)))
    return CO_FAILED;
  if (fine(CALL(CAST_TO_TENSOR_INFO, status_ref(*)(const void *, const void **))(type, &tensor))) {
    result = CO_WRONG_SHAPE;
    // A null tensor is an input that is a list or a map.
    if (tensor && fine(CALL(ELEMENT_TYPE, status_ref(*)(const void *, int *))(tensor, &element)) &&
        element == FLOAT_ELEMENTS && fine(CALL(DIMENSIONS_COUNT, count_of)(tensor, &rank)) && rank == 4 &&
        fine(CALL(DIMENSIONS, status_ref(*)(const void *, int64_t *, size_t))(tensor, shape->sides, 4)))
      result = CO_OK;
  }
  CALL(RELEASE_TYPE_INFO, release)(type);
  return result;
}

int co_open(const void *bytes, size_t length, co_model **out, co_shape *input) {
  if (started != CO_OK) return CO_NOT_STARTED;
  co_model *model = calloc(1, sizeof *model);
  void *options = model ? session_options() : NULL;
  size_t inputs = 0, outputs = 0;
  int result = CO_FAILED;
  if (options && fine(CALL(CREATE_SESSION_FROM_ARRAY, status_ref(*)(void *, const void *, size_t, const void *, void **))(
                     environment, bytes, length, options, &model->session)) &&
      fine(CALL(INPUT_COUNT, count_of)(model->session, &inputs)) &&
      fine(CALL(OUTPUT_COUNT, count_of)(model->session, &outputs)))
    result = inputs == 1 && outputs >= 1 ? input_shape(model, input) : CO_WRONG_SHAPE;
  if (options) CALL(RELEASE_SESSION_OPTIONS, release)(options);
  if (result == CO_OK && !(fine(CALL(INPUT_NAME, named)(model->session, 0, allocator, &model->input)) &&
                           fine(CALL(OUTPUT_NAME, named)(model->session, 0, allocator, &model->output))))
    result = CO_FAILED;
  if (result == CO_OK) {
    *out = model;
  } else {
    co_close(model);
  }
  return result;
}

static int read_output(void *value, float *out, size_t capacity, size_t *count) {
  void *info = NULL;
  float *numbers = NULL;
  int element = 0, result = CO_WRONG_SHAPE;
  if (!fine(CALL(TENSOR_TYPE_AND_SHAPE, status_ref(*)(const void *, void **))(value, &info))) return CO_WRONG_SHAPE;
  if (fine(CALL(ELEMENT_TYPE, status_ref(*)(const void *, int *))(info, &element)) && element == FLOAT_ELEMENTS &&
      fine(CALL(ELEMENT_COUNT, count_of)(info, count)) && *count >= 1 && *count <= capacity &&
      fine(CALL(TENSOR_DATA, status_ref(*)(void *, float **))(value, &numbers))) {
    memcpy(out, numbers, *count * sizeof *numbers);
    result = CO_OK;
  }
  CALL(RELEASE_TENSOR_INFO, release)(info);
  return result;
}

int co_run(co_model *model, const float *samples, size_t sample_count, const int64_t sides[4], float *out,
           size_t capacity, size_t *count) {
  if (started != CO_OK) return CO_NOT_STARTED;
  void *image = NULL, *answer = NULL;
  if (!fine(CALL(CREATE_TENSOR_WITH_DATA, status_ref(*)(const void *, void *, size_t, const int64_t *, size_t, int, void **))(
          memory, (void *)samples, sample_count * sizeof *samples, sides, 4, FLOAT_ELEMENTS, &image)))
    return CO_WRONG_SHAPE;
  const char *inputs[] = {model->input}, *outputs[] = {model->output};
  const void *const values[] = {image};
  int ran = fine(CALL(RUN, status_ref(*)(void *, const void *, const char *const *, const void *const *, size_t,
                                         const char *const *, size_t, void **))(
      model->session, NULL, inputs, values, 1, outputs, 1, &answer));
  int result = ran ? read_output(answer, out, capacity, count) : CO_FAILED;
  if (answer) CALL(RELEASE_VALUE, release)(answer);
  CALL(RELEASE_VALUE, release)(image);
  return result;
}
