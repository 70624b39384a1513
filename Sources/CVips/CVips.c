#include "CVips.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// The few declarations of libvips 8 and GLib 2 that are used, as their documented C interface has them.
// `optional` arguments are name/value pairs ended by NULL.
typedef struct _VipsImage VipsImage;
typedef int (*load_fn)(void *buffer, size_t length, VipsImage **out, ...);
typedef int (*unary_fn)(VipsImage *in, VipsImage **out, ...);
typedef int (*save_fn)(VipsImage *in, void **buffer, size_t *length, ...);

enum { FORMAT_UCHAR = 0, FORMAT_USHORT = 2 };
enum { SPACE_B_W = 1, SPACE_CMYK = 15, SPACE_SRGB = 22, SPACE_RGB16 = 25, SPACE_GREY16 = 26 };
enum { ACCESS_SEQUENTIAL = 1, FAIL_ON_ERROR = 2, INTENT_RELATIVE = 1 };

static struct {
  int (*init)(const char *);
  const char *(*version_string)(void);
  void (*operation_block_set)(const char *, int);
  void (*block_untrusted_set)(int);
  void (*concurrency_set)(int);
  void (*cache_set_max)(int);
  void (*cache_set_max_mem)(size_t);
  void (*cache_set_max_files)(int);
  const char *(*error_buffer)(void);
  void (*error_clear)(void);
  load_fn jpegload_buffer, pngload_buffer, webpload_buffer, gifload_buffer;
  save_fn jpegsave_buffer, pngsave_buffer, webpsave_buffer;
  int (*get_width)(const VipsImage *);
  int (*get_height)(const VipsImage *);
  int (*get_bands)(const VipsImage *);
  int (*get_format)(const VipsImage *);
  int (*guess_interpretation)(const VipsImage *);
  int (*get_orientation)(VipsImage *);
  int (*get_n_pages)(VipsImage *);
  int (*hasalpha)(VipsImage *);
  int (*get_blob)(const VipsImage *, const char *, const void **, size_t *);
  size_t (*get_typeof)(const VipsImage *, const char *);
  void (*set_blob_copy)(VipsImage *, const char *, const void *, size_t);
  int (*image_remove)(VipsImage *, const char *);
  char **(*get_fields)(VipsImage *);
  VipsImage *(*copy_memory)(VipsImage *);
  const void *(*get_data)(VipsImage *);
  VipsImage *(*new_from_memory_copy)(const void *, size_t, int, int, int, int);
  unary_fn copy, autorot, premultiply, unpremultiply;
  int (*resize)(VipsImage *, VipsImage **, double, ...);
  int (*cast)(VipsImage *, VipsImage **, int, ...);
  int (*colourspace)(VipsImage *, VipsImage **, int, ...);
  int (*icc_transform)(VipsImage *, VipsImage **, const char *, ...);
  int (*extract_band)(VipsImage *, VipsImage **, int, ...);
  int (*profile_load)(const char *, void **, ...);
  const void *(*blob_get)(void *, size_t *);
  void (*area_unref)(void *);
  void (*object_unref)(void *);
  void (*g_free)(void *);
  void (*g_strfreev)(char **);
  unsigned (*log_set_handler)(const char *, int, void (*)(const char *, int, const char *, void *), void *);
  void *(*log_set_default_handler)(void (*)(const char *, int, const char *, void *), void *);
} v;

static int status = -1;
static char last_error[201];

static const struct {
  const char *name;
  void **slot;
} symbols[] = {
    {"vips_init", (void **)&v.init},
    {"vips_version_string", (void **)&v.version_string},
    {"vips_operation_block_set", (void **)&v.operation_block_set},
    {"vips_block_untrusted_set", (void **)&v.block_untrusted_set},
    {"vips_concurrency_set", (void **)&v.concurrency_set},
    {"vips_cache_set_max", (void **)&v.cache_set_max},
    {"vips_cache_set_max_mem", (void **)&v.cache_set_max_mem},
    {"vips_cache_set_max_files", (void **)&v.cache_set_max_files},
    {"vips_error_buffer", (void **)&v.error_buffer},
    {"vips_error_clear", (void **)&v.error_clear},
    {"vips_jpegload_buffer", (void **)&v.jpegload_buffer},
    {"vips_pngload_buffer", (void **)&v.pngload_buffer},
    {"vips_webpload_buffer", (void **)&v.webpload_buffer},
    {"vips_gifload_buffer", (void **)&v.gifload_buffer},
    {"vips_jpegsave_buffer", (void **)&v.jpegsave_buffer},
    {"vips_pngsave_buffer", (void **)&v.pngsave_buffer},
    {"vips_webpsave_buffer", (void **)&v.webpsave_buffer},
    {"vips_image_get_width", (void **)&v.get_width},
    {"vips_image_get_height", (void **)&v.get_height},
    {"vips_image_get_bands", (void **)&v.get_bands},
    {"vips_image_get_format", (void **)&v.get_format},
    {"vips_image_guess_interpretation", (void **)&v.guess_interpretation},
    {"vips_image_get_orientation", (void **)&v.get_orientation},
    {"vips_image_get_n_pages", (void **)&v.get_n_pages},
    {"vips_image_hasalpha", (void **)&v.hasalpha},
    {"vips_image_get_blob", (void **)&v.get_blob},
    {"vips_image_get_typeof", (void **)&v.get_typeof},
    {"vips_image_set_blob_copy", (void **)&v.set_blob_copy},
    {"vips_image_remove", (void **)&v.image_remove},
    {"vips_image_get_fields", (void **)&v.get_fields},
    {"vips_image_copy_memory", (void **)&v.copy_memory},
    {"vips_image_get_data", (void **)&v.get_data},
    {"vips_image_new_from_memory_copy", (void **)&v.new_from_memory_copy},
    {"vips_copy", (void **)&v.copy},
    {"vips_autorot", (void **)&v.autorot},
    {"vips_premultiply", (void **)&v.premultiply},
    {"vips_unpremultiply", (void **)&v.unpremultiply},
    {"vips_resize", (void **)&v.resize},
    {"vips_cast", (void **)&v.cast},
    {"vips_colourspace", (void **)&v.colourspace},
    {"vips_icc_transform", (void **)&v.icc_transform},
    {"vips_extract_band", (void **)&v.extract_band},
    {"vips_profile_load", (void **)&v.profile_load},
    {"vips_blob_get", (void **)&v.blob_get},
    {"vips_area_unref", (void **)&v.area_unref},
    {"g_object_unref", (void **)&v.object_unref},
    {"g_free", (void **)&v.g_free},
    {"g_strfreev", (void **)&v.g_strfreev},
    {"g_log_set_handler", (void **)&v.log_set_handler},
    {"g_log_set_default_handler", (void **)&v.log_set_default_handler},
};

// libvips warns once a bad row: a hostile upload would write thousands of lines.
static void discard(const char *domain, int level, const char *text, void *data) {
  (void)domain, (void)level, (void)text, (void)data;
}

static int fail(void) {
  const char *text = v.error_buffer != NULL ? v.error_buffer() : "";
  size_t n = 0;
  for (; text[n] != 0 && n < sizeof last_error - 1; n++)
    last_error[n] = text[n] >= 0x20 && text[n] < 0x7F ? text[n] : ' ';
  last_error[n] = 0;
  if (v.error_clear != NULL) v.error_clear();
  return CV_FAILED;
}

static void drop(VipsImage **image) {
  if (*image != NULL) v.object_unref(*image);
  *image = NULL;
}

static void allow_only_what_is_used(void) {
  static const char *const kept[] = {"VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadWebp",
                                     "VipsForeignLoadNsgif", "VipsForeignSaveJpeg", "VipsForeignSavePng",
                                     "VipsForeignSaveWebp"};
  v.operation_block_set("VipsForeign", 1);
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) v.operation_block_set(kept[i], 0);
  v.block_untrusted_set(1);
}

static void load_lcms(void);

int cv_start(void) {
  if (status >= 0) return status;
  // A decoded picture above this size would go through a temporary file, which the sandbox denies.
  setenv("VIPS_DISC_THRESHOLD", "16g", 1);
  setenv("VIPS_WARNING", "0", 1);
  void *library = dlopen("libvips.so.42", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return status = CV_NOT_INSTALLED;
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    *symbols[i].slot = dlsym(library, symbols[i].name);
    if (*symbols[i].slot == NULL) return status = CV_INCOMPATIBLE;
  }
  v.log_set_default_handler(discard, NULL);
  if (v.init("atelier") != 0) return status = CV_INCOMPATIBLE;
  v.log_set_handler("VIPS", -1, discard, NULL);
  v.log_set_handler("GLib", -4, discard, NULL);
  v.log_set_handler("GLib-GObject", -4, discard, NULL);
  v.concurrency_set(1);
  v.cache_set_max(0);
  v.cache_set_max_mem(0);
  v.cache_set_max_files(0);
  allow_only_what_is_used();
  load_lcms();
  return status = CV_OK;
}

const char *cv_version(void) { return status == CV_OK ? v.version_string() : ""; }
const char *cv_last_error(void) { return last_error; }

static int open_lazily(int format, const void *bytes, size_t length, VipsImage **out) {
  if (status != CV_OK) return status < 0 ? CV_NOT_INSTALLED : status;
  load_fn load = format == CV_JPEG   ? v.jpegload_buffer
                 : format == CV_PNG  ? v.pngload_buffer
                 : format == CV_WEBP ? v.webpload_buffer
                 : format == CV_GIF  ? v.gifload_buffer
                                     : NULL;
  if (load == NULL) return CV_FAILED;
  *out = NULL;
  // The buffer is only read; libvips' type is not const for history's sake.
  if (load((void *)bytes, length, out, "access", ACCESS_SEQUENTIAL, "fail_on", FAIL_ON_ERROR, (void *)NULL) != 0)
    return fail();
  return CV_OK;
}

static const uint8_t *profile_of(VipsImage *image, size_t *length) {
  const void *data = NULL;
  *length = 0;
  if (v.get_typeof(image, "icc-profile-data") == 0) return NULL;
  if (v.get_blob(image, "icc-profile-data", &data, length) != 0) {
    v.error_clear();
    *length = 0;
    return NULL;
  }
  return data;
}

static void describe(VipsImage *image, cv_info *info) {
  int orientation = v.get_orientation(image), space = v.guess_interpretation(image);
  info->width = v.get_width(image);
  info->height = v.get_height(image);
  info->bands = v.get_bands(image);
  info->bits = v.get_format(image) == FORMAT_UCHAR ? 8 : 16;
  info->orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
  info->pages = v.get_n_pages(image);
  info->has_alpha = v.hasalpha(image) != 0;
  info->is_cmyk = space == SPACE_CMYK;
  info->is_grey = space == SPACE_B_W || space == SPACE_GREY16;
  profile_of(image, &info->profile_length);
}

int cv_probe(int format, const void *bytes, size_t length, cv_info *info) {
  VipsImage *image = NULL;
  int result = open_lazily(format, bytes, length, &image);
  if (result != CV_OK) return result;
  describe(image, info);
  drop(&image);
  return CV_OK;
}

// Everything but the profile goes: Exif, XMP, IPTC, comments, thumbnails, resolution notes.
static void forget_metadata(VipsImage *image, bool keep_orientation) {
  char **fields = v.get_fields(image);
  for (char **name = fields; name != NULL && *name != NULL; name++) {
    if (strcmp(*name, "icc-profile-data") == 0) continue;
    if (keep_orientation && strcmp(*name, "orientation") == 0) continue;
    v.image_remove(image, *name);
  }
  if (fields != NULL) v.g_strfreev(fields);
}

static bool is_rgb_profile(const uint8_t *bytes, size_t length) {
  return length >= 128 && memcmp(bytes + 16, "RGB ", 4) == 0 && memcmp(bytes + 36, "acsp", 4) == 0;
}

static int through_profile(VipsImage *in, const char *fallback, VipsImage **out) {
  return v.icc_transform(in, out, "srgb", "embedded", 1, "input_profile", fallback, "intent", INTENT_RELATIVE,
                         "depth", 8, (void *)NULL);
}

// To 8-bit RGB(A); lazily, so that the caller's one pass does all of it.
static int to_rgb(VipsImage *in, const cv_info *info, size_t max_profile, VipsImage **out) {
  size_t length = 0;
  const uint8_t *profile = profile_of(in, &length);
  bool keep = !info->is_cmyk && !info->is_grey && profile != NULL && length <= max_profile &&
              is_rgb_profile(profile, length);
  bool usable = profile != NULL && length <= max_profile;
  VipsImage *rgb = NULL;
  int failed = -1;
  if (info->is_cmyk) {
    failed = through_profile(in, "cmyk", &rgb);
  } else if (info->is_grey && usable) {
    failed = through_profile(in, "srgb", &rgb);
  }
  if (failed != 0) {
    drop(&rgb);
    v.error_clear();
    if (v.colourspace(in, &rgb, SPACE_SRGB, (void *)NULL) != 0) return fail();
  }
  VipsImage *cast = NULL;
  failed = v.cast(rgb, &cast, FORMAT_UCHAR, (void *)NULL);
  drop(&rgb);
  if (failed != 0) return fail();
  VipsImage *own = NULL;
  failed = v.copy(cast, &own, (void *)NULL);
  drop(&cast);
  if (failed != 0) return fail();
  if (!keep) v.image_remove(own, "icc-profile-data");
  int bands = v.get_bands(own);
  if (bands == 3 || bands == 4) {
    *out = own;
    return CV_OK;
  }
  failed = v.extract_band(own, out, 0, "n", bands > 4 ? 4 : 3, (void *)NULL);
  drop(&own);
  return failed != 0 ? fail() : CV_OK;
}

static int settle(VipsImage **lazy, cv_image **out) {
  VipsImage *memory = v.copy_memory(*lazy);
  drop(lazy);
  if (memory == NULL) return fail();
  *out = (cv_image *)memory;
  return CV_OK;
}

// lcms, which libvips brings along. Looked up apart, because libvips quietly falls back to sRGB for a profile that
// lcms refuses, and would write the broken bytes on.
static struct {
  void *(*open_from_memory)(const void *, uint32_t);
  int (*close)(void *);
  void *(*srgb)(void);
  void *(*transform)(void *, uint32_t, void *, uint32_t, uint32_t, uint32_t);
  void (*delete_transform)(void *);
} lcms;

static void load_lcms(void) {
  void *library = dlopen("liblcms2.so.2", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return;
  *(void **)&lcms.open_from_memory = dlsym(library, "cmsOpenProfileFromMem");
  *(void **)&lcms.close = dlsym(library, "cmsCloseProfile");
  *(void **)&lcms.srgb = dlsym(library, "cmsCreate_sRGBProfile");
  *(void **)&lcms.transform = dlsym(library, "cmsCreateTransform");
  *(void **)&lcms.delete_transform = dlsym(library, "cmsDeleteTransform");
}

static bool is_usable_profile(const uint8_t *bytes, size_t length) {
  // Without lcms nobody here can judge; a profile that cannot be judged is not passed on.
  if (!lcms.open_from_memory || !lcms.close || !lcms.srgb || !lcms.transform || !lcms.delete_transform) return false;
  const uint32_t rgb_8 = 4u << 16 | 3u << 3 | 1u;
  void *from = lcms.open_from_memory(bytes, (uint32_t)length), *to = lcms.srgb();
  void *transform = from != NULL && to != NULL ? lcms.transform(from, rgb_8, to, rgb_8, INTENT_RELATIVE, 0) : NULL;
  bool usable = transform != NULL;
  if (transform != NULL) lcms.delete_transform(transform);
  if (from != NULL) lcms.close(from);
  if (to != NULL) lcms.close(to);
  return usable;
}

// A profile that lcms cannot use would colour every later viewer differently: better none, read as sRGB.
static void drop_broken_profile(VipsImage *image) {
  size_t length = 0;
  const uint8_t *profile = profile_of(image, &length);
  if (profile != NULL && !is_usable_profile(profile, length)) v.image_remove(image, "icc-profile-data");
}

int cv_decode(int format, const void *bytes, size_t length, int64_t max_pixels, int32_t max_side,
              size_t max_profile, cv_image **out, cv_info *info) {
  VipsImage *lazy = NULL, *rgb = NULL;
  int result = open_lazily(format, bytes, length, &lazy);
  if (result != CV_OK) return result;
  describe(lazy, info);
  if (info->width <= 0 || info->height <= 0 || info->width > max_side || info->height > max_side ||
      (int64_t)info->width * info->height > max_pixels) {
    drop(&lazy);
    return CV_TOO_LARGE;
  }
  result = to_rgb(lazy, info, max_profile, &rgb);
  drop(&lazy);
  if (result != CV_OK) return result;
  result = settle(&rgb, out);
  if (result != CV_OK) return result;
  forget_metadata((VipsImage *)*out, true);
  drop_broken_profile((VipsImage *)*out);
  return CV_OK;
}

int cv_upright(cv_image *in, cv_image **out) {
  VipsImage *turned = NULL;
  if (v.autorot((VipsImage *)in, &turned, (void *)NULL) != 0) return fail();
  int result = settle(&turned, out);
  if (result == CV_OK) forget_metadata((VipsImage *)*out, false);
  return result;
}

int cv_resize(cv_image *in, int32_t width, int32_t height, cv_image **out) {
  VipsImage *image = (VipsImage *)in, *straight = NULL, *scaled = NULL, *back = NULL, *bytes = NULL;
  int w = v.get_width(image), h = v.get_height(image);
  if (width < 1 || height < 1 || w < 1 || h < 1) return CV_FAILED;
  double across = (double)width / w, down = (double)height / h;
  bool alpha = v.get_bands(image) == 4;
  int failed = alpha ? v.premultiply(image, &straight, (void *)NULL) : 0;
  if (failed == 0)
    failed = v.resize(alpha ? straight : image, &scaled, across, "vscale", down, (void *)NULL);
  if (failed == 0 && alpha) failed = v.unpremultiply(scaled, &back, (void *)NULL);
  if (failed == 0) failed = v.cast(alpha ? back : scaled, &bytes, FORMAT_UCHAR, (void *)NULL);
  drop(&straight);
  drop(&scaled);
  drop(&back);
  if (failed != 0) {
    drop(&bytes);
    return fail();
  }
  return settle(&bytes, out);
}

int cv_to_srgb(cv_image *in, cv_image **out) {
  VipsImage *image = (VipsImage *)in, *converted = NULL;
  size_t length = 0;
  bool tagged = profile_of(image, &length) != NULL;
  if (!tagged || through_profile(image, "srgb", &converted) != 0) {
    drop(&converted);
    v.error_clear();
    if (v.copy(image, &converted, (void *)NULL) != 0) return fail();
  }
  int result = settle(&converted, out);
  if (result == CV_OK) forget_metadata((VipsImage *)*out, false), v.image_remove((VipsImage *)*out, "icc-profile-data");
  return result;
}

int cv_flatten(cv_image *in, cv_image **out) {
  VipsImage *flat = NULL;
  VipsImage *image = (VipsImage *)in;
  if (v.get_bands(image) != 4) {
    if (v.copy(image, &flat, (void *)NULL) != 0) return fail();
    return settle(&flat, out);
  }
  size_t pixels = (size_t)v.get_width(image) * (size_t)v.get_height(image);
  const uint8_t *from = v.get_data(image);
  uint8_t *to = from == NULL ? NULL : malloc(pixels * 3);
  if (to == NULL) return CV_FAILED;
  for (size_t i = 0; i < pixels; i++) {
    unsigned a = from[i * 4 + 3];
    for (size_t c = 0; c < 3; c++)
      to[i * 3 + c] = (uint8_t)((from[i * 4 + c] * a + 255u * (255u - a) + 127u) / 255u);
  }
  int result = cv_from_samples(to, pixels * 3, v.get_width(image), v.get_height(image), 3, 8, out);
  free(to);
  size_t length = 0;
  const uint8_t *profile = profile_of(image, &length);
  if (result == CV_OK && profile != NULL) result = cv_attach_profile(*out, profile, length);
  return result;
}

int32_t cv_width(const cv_image *image) { return v.get_width((const VipsImage *)image); }
int32_t cv_height(const cv_image *image) { return v.get_height((const VipsImage *)image); }
int32_t cv_bands(const cv_image *image) { return v.get_bands((const VipsImage *)image); }

const uint8_t *cv_samples(cv_image *image, size_t *length) {
  VipsImage *picture = (VipsImage *)image;
  *length = (size_t)v.get_width(picture) * (size_t)v.get_height(picture) * (size_t)v.get_bands(picture);
  return v.get_data(picture);
}

bool cv_is_opaque(cv_image *image) {
  if (cv_bands(image) != 4) return true;
  size_t length = 0;
  const uint8_t *samples = cv_samples(image, &length);
  for (size_t i = 3; samples != NULL && i < length; i += 4)
    if (samples[i] != 255) return false;
  return true;
}

const uint8_t *cv_profile(cv_image *image, size_t *length) { return profile_of((VipsImage *)image, length); }
void cv_drop_profile(cv_image *image) { v.image_remove((VipsImage *)image, "icc-profile-data"); }

void cv_free(cv_image *image) {
  VipsImage *picture = (VipsImage *)image;
  drop(&picture);
}

int cv_encode(cv_image *in, int format, int quality, void **out, size_t *length) {
  VipsImage *image = (VipsImage *)in;
  *out = NULL;
  *length = 0;
  int failed = -1;
  if (format == CV_JPEG)
    failed = v.jpegsave_buffer(image, out, length, "Q", quality, "optimize_coding", 1, (void *)NULL);
  else if (format == CV_PNG)
    failed = v.pngsave_buffer(image, out, length, "compression", 6, (void *)NULL);
  else if (format == CV_WEBP)
    failed = v.webpsave_buffer(image, out, length, "Q", quality, "effort", 2, (void *)NULL);
  return failed != 0 ? fail() : CV_OK;
}

void cv_free_bytes(void *bytes) {
  if (bytes != NULL) v.g_free(bytes);
}

int cv_from_samples(const void *samples, size_t length, int32_t width, int32_t height, int32_t bands, int bits,
                    cv_image **out) {
  if (status != CV_OK) return CV_NOT_INSTALLED;
  VipsImage *plain = v.new_from_memory_copy(samples, length, width, height, bands,
                                            bits == 16 ? FORMAT_USHORT : FORMAT_UCHAR);
  if (plain == NULL) return fail();
  int space = bands < 3 ? (bits == 16 ? SPACE_GREY16 : SPACE_B_W) : (bits == 16 ? SPACE_RGB16 : SPACE_SRGB);
  VipsImage *tagged = NULL;
  int failed = v.copy(plain, &tagged, "interpretation", space, (void *)NULL);
  drop(&plain);
  if (failed != 0) return fail();
  return settle(&tagged, out);
}

int cv_attach_profile(cv_image *image, const void *bytes, size_t length) {
  v.set_blob_copy((VipsImage *)image, "icc-profile-data", bytes, length);
  return CV_OK;
}

int cv_builtin_profile(const char *name, const uint8_t **bytes, size_t *length) {
  if (status != CV_OK) return CV_NOT_INSTALLED;
  void *blob = NULL;
  if (v.profile_load(name, &blob, (void *)NULL) != 0 || blob == NULL) return fail();
  const void *data = v.blob_get(blob, length);
  uint8_t *copy = data == NULL ? NULL : malloc(*length);
  if (copy != NULL) memcpy(copy, data, *length);
  v.area_unref(blob);
  *bytes = copy;
  return copy != NULL ? CV_OK : CV_FAILED;
}

int cv_convert(cv_image *in, const char *profile, cv_image **out) {
  VipsImage *converted = NULL;
  if (v.icc_transform((VipsImage *)in, &converted, profile, "input_profile", "srgb", (void *)NULL) != 0)
    return fail();
  return settle(&converted, out);
}
