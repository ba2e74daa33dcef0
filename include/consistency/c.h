/* SPDX-License-Identifier: MIT */
/* The library for programs in C, and for other languages: load a model or train one, draw. Linked by
 * consistency::c.
 *
 * A function that can fail returns a status; consistency_last_error() then says what, where, found, expected
 * and what to do. No call prints, ends the process or keeps a pointer of the caller's. A handle that is null,
 * freed, or no handle at all is an error, never undefined. Handles may be used from any thread; a session or
 * a trainer by one at a time, each with the others at once. docs/embedding.md */
#ifndef CONSISTENCY_C_H
#define CONSISTENCY_C_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define CONSISTENCY_API
#else
#define CONSISTENCY_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Stable numbers; those up to 99 are consistency::ErrorCode's. */
typedef enum consistency_status {
  CONSISTENCY_OK = 0,
  CONSISTENCY_CONFIG = 1,     /**< an impossible setting, or a session or trainer that another thread uses */
  CONSISTENCY_SHAPE = 2,      /**< memory of another size */
  CONSISTENCY_IO = 3,         /**< a file that cannot be read or written */
  CONSISTENCY_FORMAT = 4,     /**< a file that breaks its format's rules, or is of a later version */
  CONSISTENCY_INTEGRITY = 5,  /**< a file whose bytes are not those that were written */
  CONSISTENCY_MISMATCH = 6,   /**< a file of another kind of model */
  CONSISTENCY_DATASET = 7,    /**< data that cannot be trained on */
  CONSISTENCY_NUMERIC = 8,    /**< a number that is not finite */
  CONSISTENCY_RESOURCE = 9,   /**< memory, threads or handles that cannot be had */
  CONSISTENCY_ARGUMENT = 100, /**< a null pointer, or settings that no init function has filled */
  CONSISTENCY_HANDLE = 101,   /**< no handle, or a freed one */
  CONSISTENCY_UNEXPECTED = 102
} consistency_status;

/** Opaque; {0} is none. */
typedef struct consistency_model {
  uint64_t id;
} consistency_model;
typedef struct consistency_session {
  uint64_t id;
} consistency_session;
typedef struct consistency_trainer {
  uint64_t id;
} consistency_trainer;

/** "major.minor.patch". */
CONSISTENCY_API char const* consistency_version(void);
/** What the last call of this thread that failed has to say; "" before one does. Valid until the next. */
CONSISTENCY_API char const* consistency_last_error(void);
/** "CONSISTENCY_SHAPE" …, or "unknown". */
CONSISTENCY_API char const* consistency_status_name(consistency_status status);

/** A model as its file describes it: a consistency function or denoiser of one of the library's networks. */
CONSISTENCY_API consistency_status consistency_model_load(char const* path, consistency_model* model);

typedef struct consistency_model_settings {
  size_t struct_size;         /**< set by the init function */
  int64_t shape[4];           /**< of a sample: (h, w, c) of a U-Net, (d) of a perceptron */
  size_t rank;                /**< 3 or 1 */
  int denoiser;               /**< 1: a denoiser, the teacher of distillation; 0: a consistency function */
  int64_t channels;           /**< of the first level, or width of the layers; 0: 32, or 128 */
  int64_t blocks;             /**< of a level, or layers; 0: 2, or 3 */
  int64_t const* multipliers; /**< of a U-Net: channels of each level, in units of the first's; none: 1, 2 */
  size_t multiplier_count;
  int64_t const* attention; /**< heights of levels, after the patch, that have self-attention; none */
  size_t attention_count;
  int64_t heads;             /**< of the attention; 1 */
  int64_t patch;             /**< p x p pixels become channels before the first convolution; 1 */
  int64_t condition_numbers; /**< of a sample's condition; 0: it takes none */
  uint64_t seed;             /**< of the parameters; 0 */
} consistency_model_settings;
CONSISTENCY_API void consistency_model_settings_init(consistency_model_settings* settings);
/** A model that is still to be trained: a U-Net of images or a perceptron of vectors. */
CONSISTENCY_API consistency_status consistency_model_new(consistency_model_settings const* settings,
                                                         consistency_model* model);
/** Writes a file that consistency_model_load and the library's programs read. */
CONSISTENCY_API consistency_status consistency_model_save(consistency_model model, char const* path);
/** Sessions and trainers of the model go on. */
CONSISTENCY_API consistency_status consistency_model_free(consistency_model model);

typedef struct consistency_model_info {
  size_t shape[4];          /**< of a sample, outermost first: (h, w, c), or (d) */
  size_t rank;              /**< how many of these there are */
  size_t sample_numbers;    /**< of a sample: their product */
  size_t condition_numbers; /**< of a sample's condition; 0: it takes none */
  size_t labels;            /**< names of classes that the file has */
  size_t parameters;
  int denoiser; /**< 1: drawn from in several steps; 0: a consistency function */
} consistency_model_info;
CONSISTENCY_API consistency_status consistency_model_describe(consistency_model model,
                                                              consistency_model_info* info);
/** The name of class i, cut to `size` bytes with the 0 at the end. */
CONSISTENCY_API consistency_status consistency_model_label(consistency_model model, size_t i, char* text,
                                                           size_t size);

/** The caller's threads, in place of a session's own: run() calls work(data, i) for every i of [0, chunks),
 * each once, on any threads, and returns when all are over. */
typedef struct consistency_executor {
  void (*run)(void* host, int64_t chunks, void (*work)(void* data, int64_t i), void* data);
  void* host;
  uint32_t threads; /**< how many there are */
} consistency_executor;

typedef struct consistency_session_settings {
  size_t struct_size;                   /**< set by the init function */
  int64_t batch;                        /**< the most samples of a call; 1 */
  uint32_t threads;                     /**< of this session alone; 1: the caller's */
  consistency_executor const* executor; /**< or null; copied */
  double const* times; /**< of a consistency function: the times of further evaluations, decreasing; none */
  size_t time_count;
  int64_t steps; /**< of a denoiser: of Heun's method; 0: 18 */
} consistency_session_settings;
CONSISTENCY_API void consistency_session_settings_init(consistency_session_settings* settings);
/** Takes all its memory, and draws a few times. `settings`: null for the defaults. */
CONSISTENCY_API consistency_status consistency_session_new(consistency_model model,
                                                           consistency_session_settings const* settings,
                                                           consistency_session* session);
/** Waits until a draw at hand is over; an observer may not free its session. */
CONSISTENCY_API consistency_status consistency_session_free(consistency_session session);

/** After each evaluation: how many there were, and the samples as far as they are, in the model's numbers.
 *  0 ends the draw there. */
typedef int (*consistency_observer)(void* user, int64_t evaluations, float const* samples, size_t numbers);

typedef struct consistency_draw_settings {
  size_t struct_size;     /**< set by the init function */
  uint64_t seed;          /**< 0 */
  int64_t first;          /**< index of the first sample: sample i of a seed is the same in any batch; 0 */
  float const* condition; /**< of each sample, or null */
  size_t condition_numbers;
  float const* noise; /**< N(0, 1), as many numbers as are drawn; null: drawn from the seed */
  size_t noise_numbers;
  consistency_observer observer; /**< or null */
  void* user;
} consistency_draw_settings;
CONSISTENCY_API void consistency_draw_settings_init(consistency_draw_settings* settings);
/** Fills `samples` with whole samples, after each other, from 1 to the session's batch. Asks for no memory,
 *  takes no lock. `settings`: null for the defaults. */
CONSISTENCY_API consistency_status consistency_draw(consistency_session session,
                                                    consistency_draw_settings const* settings, float* samples,
                                                    size_t numbers);

typedef struct consistency_trainer_settings {
  size_t struct_size;        /**< set by the init function */
  int64_t steps;             /**< of the whole training, which rates and times are planned by */
  consistency_model teacher; /**< a denoiser that a consistency function is distilled from, or none */
  double learning_rate;      /**< 0.001; falls to 0 over the last 30 % of the steps */
  double
      huber; /**< c of the metric of a consistency function; 0: 0.00054 of the root of a sample's numbers */
  uint64_t seed;    /**< of noise and times; 0 */
  uint32_t threads; /**< of this trainer alone; 1: the caller's */
} consistency_trainer_settings;
CONSISTENCY_API void consistency_trainer_settings_init(consistency_trainer_settings* settings);
/** Trains a copy of the model: a denoiser as Karras et al. (2022); a consistency function from data alone,
 *  as scripts/demo.sh does, or by distillation (Song et al. 2023, Algorithm 2), which begins with the
 *  teacher's parameters where both networks have the same. */
CONSISTENCY_API consistency_status consistency_trainer_new(consistency_model model,
                                                           consistency_trainer_settings const* settings,
                                                           consistency_trainer* trainer);
/** One step on a batch: whole samples after each other, of unit scale, such as images in [-1, 1]; `condition`
 *  of each, or null where the model takes none. `loss`: of the batch before the step, or null. Where it fails
 *  the trainer is as before. */
CONSISTENCY_API consistency_status consistency_train(consistency_trainer trainer, float const* data,
                                                     size_t numbers, float const* condition,
                                                     size_t condition_numbers, double* loss);
/** What there is so far, as a model of its own: the average of the parameters that is to be drawn from. */
CONSISTENCY_API consistency_status consistency_trainer_model(consistency_trainer trainer,
                                                             consistency_model* model);
CONSISTENCY_API consistency_status consistency_trainer_free(consistency_trainer trainer);

/** Images in [-1, 1] as bytes: round(127.5 (x + 1)), clamped. */
CONSISTENCY_API consistency_status consistency_to_bytes(float const* samples, size_t numbers, uint8_t* bytes);

#ifdef __cplusplus
}
#endif

#endif
