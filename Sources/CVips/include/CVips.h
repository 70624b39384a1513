// libvips behind plain C types. Nothing here needs libvips' headers: the library is loaded when the process starts
// using it, so the package builds and runs where it is not installed and can say so.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cv_image cv_image;

enum { CV_JPEG = 1, CV_PNG = 2, CV_WEBP = 3, CV_GIF = 4 };

enum {
  CV_OK = 0,
  CV_NOT_INSTALLED = 1,  // libvips.so.42 cannot be loaded
  CV_INCOMPATIBLE = 2,   // it loads, but lacks a function that is called here
  CV_FAILED = 3,         // libvips refused; cv_last_error() says why
  CV_TOO_LARGE = 4       // the header declares more than the caller's bound
};

typedef struct {
  int32_t width, height, bands;
  int32_t bits;         // 8 or 16 a sample as decoded
  int32_t orientation;  // 1...8, 1 when absent or out of range
  int32_t pages;
  bool has_alpha, is_cmyk, is_grey;
  size_t profile_length;
} cv_info;

// Loads libvips, allows four loaders and three savers and nothing else, one thread, no cache, no log output.
// Idempotent; not to be called from two threads at once.
int cv_start(void);
// "8.14.1", or "" before a successful cv_start.
const char *cv_version(void);
// What libvips said last, cut to 200 bytes of printable ASCII. For logs, never for people.
const char *cv_last_error(void);

// Reads the header only.
int cv_probe(int format, const void *bytes, size_t length, cv_info *info);

// Decodes into memory as 8-bit RGB or RGBA in stored orientation. An RGB profile stays attached with its samples
// untouched; CMYK and grey pictures are transformed to sRGB. Fails on truncated or broken data.
int cv_decode(int format, const void *bytes, size_t length, int64_t max_pixels, int32_t max_side,
              size_t max_profile, cv_image **out, cv_info *info);

// Bakes the orientation in.
int cv_upright(cv_image *in, cv_image **out);
// Lanczos; alpha is premultiplied on the way. Width and height at least 1.
int cv_resize(cv_image *in, int32_t width, int32_t height, cv_image **out);
// Through the attached profile to sRGB; a picture without profile is returned as it is. The profile is dropped.
int cv_to_srgb(cv_image *in, cv_image **out);
// Over white.
int cv_flatten(cv_image *in, cv_image **out);

int32_t cv_width(const cv_image *image);
int32_t cv_height(const cv_image *image);
int32_t cv_bands(const cv_image *image);
bool cv_is_opaque(cv_image *image);
// The decoded samples, rows top to bottom without padding, cv_bands samples a pixel. Owned by the image.
const uint8_t *cv_samples(cv_image *image, size_t *length);
const uint8_t *cv_profile(cv_image *image, size_t *length);
void cv_drop_profile(cv_image *image);
void cv_free(cv_image *image);

// quality 1...100 for JPEG and WebP. The attached profile is written, nothing else is. Free *out with cv_free_bytes.
int cv_encode(cv_image *in, int format, int quality, void **out, size_t *length);
void cv_free_bytes(void *bytes);

// For fixtures: a picture from samples (bits 8 or 16, host order), with an optional profile; a built-in profile by
// name ("srgb", "p3", "cmyk"); a conversion through it.
int cv_from_samples(const void *samples, size_t length, int32_t width, int32_t height, int32_t bands, int bits,
                    cv_image **out);
int cv_attach_profile(cv_image *image, const void *bytes, size_t length);
int cv_builtin_profile(const char *name, const uint8_t **bytes, size_t *length);
int cv_convert(cv_image *in, const char *profile, cv_image **out);
