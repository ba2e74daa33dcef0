/* SPDX-License-Identifier: MIT */
/* Draws one image from a model, in C. usage: draw MODEL OUT.pgm [SEED] */

#include <stdio.h>
#include <stdlib.h>

#include <consistency/c.h>

static int fail(char const* what) {
  fprintf(stderr, "draw: %s: %s\n", what, consistency_last_error());
  return 1;
}

/* One image of a model with one or three channels, as PGM or PPM. */
static int draw(consistency_model model, consistency_model_info const* info, char const* path,
                uint64_t seed) {
  consistency_session session;
  if (consistency_session_new(model, NULL, &session) != CONSISTENCY_OK) return fail("session");
  float* samples = malloc(info->sample_numbers * sizeof *samples);
  uint8_t* bytes = malloc(info->sample_numbers);
  consistency_draw_settings settings;
  consistency_draw_settings_init(&settings);
  settings.seed = seed;
  int status = 0;
  FILE* file = NULL;
  if (samples == NULL || bytes == NULL) {
    status = fail("memory");
  } else if (consistency_draw(session, &settings, samples, info->sample_numbers) != CONSISTENCY_OK) {
    status = fail("draw");
  } else if ((file = fopen(path, "wb")) == NULL) {
    perror(path);
    status = 1;
  } else {
    consistency_to_bytes(samples, info->sample_numbers, bytes);
    fprintf(file, "P%d %zu %zu 255\n", info->shape[2] == 3 ? 6 : 5, info->shape[1], info->shape[0]);
    fwrite(bytes, 1, info->sample_numbers, file);
    if (fclose(file) != 0) status = 1;
  }
  free(bytes);
  free(samples);
  consistency_session_free(session);
  return status;
}

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    fprintf(stderr, "usage: draw MODEL OUT.pgm [SEED]\n");
    return 2;
  }
  consistency_model model;
  consistency_model_info info;
  if (consistency_model_load(argv[1], &model) != CONSISTENCY_OK) return fail(argv[1]);
  int status = 1;
  if (consistency_model_describe(model, &info) != CONSISTENCY_OK)
    fail("describe");
  else if (info.rank != 3 || (info.shape[2] != 1 && info.shape[2] != 3) || info.condition_numbers != 0)
    fprintf(stderr, "draw: %s draws no grey or coloured images without a condition\n", argv[1]);
  else
    status = draw(model, &info, argv[2], argc == 4 ? strtoull(argv[3], NULL, 10) : 0);
  consistency_model_free(model);
  if (status == 0)
    printf("%s: %zu x %zu, by a network of %zu parameters\n", argv[2], info.shape[1], info.shape[0],
           info.parameters);
  return status;
}
