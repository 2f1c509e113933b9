// PocketSphinx, of which Debian 12 has 0.8+5prealpha and later releases have 5: the functions that differ, once for both.
#ifndef KILN_POCKETSPHINX_SHIM_H
#define KILN_POCKETSPHINX_SHIM_H

#include <pocketsphinx.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<pocketsphinx/err.h>)
#define KPS_IS_5 1
#include <pocketsphinx/err.h>
#else
#define KPS_IS_5 0
#include <sphinxbase/ckd_alloc.h>
#include <sphinxbase/cmn.h>
#include <sphinxbase/err.h>
#include <sphinxbase/fe.h>
#include <sphinxbase/feat.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// A channel's long-term spectrum, which is taken off its sound: the sum of the cepstra so far, and how many they were.
typedef struct {
    double sum[32];
    double count;
} kps_spectrum;

static inline void kps_ignore(void *context, err_lvl_t level, const char *format, ...) {
    (void)context, (void)level, (void)format;
}

/// The library writes a page for each utterance, to standard error unless it is told otherwise.
static inline void kps_silence(void) {
    err_set_callback(kps_ignore, NULL);
    // The table of settings takes the file itself, which each thread has of its own.
    err_set_logfp(NULL);
}

/// A decoder of 16 kHz mono; NULL if the model could not be read. To be freed with ps_free.
static inline ps_decoder_t *kps_open(const char *acoustic, const char *language, const char *dictionary) {
#if KPS_IS_5
    ps_config_t *config = ps_config_init(NULL);
    if (!config) return NULL;
    ps_config_set_str(config, "hmm", acoustic);
    ps_config_set_str(config, "lm", language);
    ps_config_set_str(config, "dict", dictionary);
    ps_decoder_t *decoder = ps_init(config);
    ps_config_free(config);
#else
    // With silence removed, the frames would no longer count the time.
    cmd_ln_t *config = cmd_ln_init(
        NULL, ps_args(), TRUE, "-hmm", acoustic, "-lm", language, "-dict", dictionary, "-remove_silence", "no", NULL);
    if (!config) return NULL;
    ps_decoder_t *decoder = ps_init(config);
    cmd_ln_free_r(config);
#endif
    return decoder;
}

#if !KPS_IS_5
/// Adds the utterance's cepstra to the spectrum. What is older than half a minute counts ever less.
static inline void kps_measure(ps_decoder_t *decoder, const int16_t *samples, size_t count, kps_spectrum *spectrum) {
    fe_t *front = ps_get_fe(decoder);
    int32 width = fe_get_output_size(front), frames = (int32)(count / 160) + 8, index = 0, last = 0;
    if (width > 32) return;
    mfcc_t **cepstra = (mfcc_t **)ckd_calloc_2d((size_t)frames + 1, (size_t)width, sizeof(mfcc_t));
    const int16 *rest = samples;
    size_t left = count;
    fe_start_stream(front);
    fe_start_utt(front);
    if (fe_process_frames(front, &rest, &left, cepstra, &frames, &index) < 0) frames = 0;
    if (fe_end_utt(front, cepstra[frames], &last) == 0) frames += last;
    if (spectrum->count > 3000) {
        double share = 3000 / spectrum->count;
        for (int32 k = 0; k < width; k++) spectrum->sum[k] *= share;
        spectrum->count = 3000;
    }
    for (int32 i = 0; i < frames; i++) {
        // As the library does: frames without energy say nothing.
        if (cepstra[i][0] < 0) continue;
        for (int32 k = 0; k < width; k++) spectrum->sum[k] += cepstra[i][k];
        spectrum->count += 1;
    }
    ckd_free_2d(cepstra);
}
#endif

/// Decodes one utterance; its words are then at ps_seg_iter.
///
/// The library's own estimate of the spectrum begins with what earlier utterances left behind, whoever's they were.
/// Before 5 it is set to what the channel's sound has, and the utterance decoded in blocks; 5 hides its front end, and
/// takes the utterance as a whole, which it then measures itself.
///
/// - stop: asked before each tenth of a second, or once.
/// Returns 0, 1 if it was stopped, -1 if the library failed.
static inline int kps_decode(
    ps_decoder_t *decoder, const int16_t *samples, size_t count, kps_spectrum *spectrum, int (*stop)(void *),
    void *context) {
    if (stop(context)) return 1;
#if KPS_IS_5
    (void)spectrum;
    if (ps_start_stream(decoder) < 0 || ps_start_utt(decoder) < 0) return -1;
    int failed = ps_process_raw(decoder, samples, count, 0, 1) < 0;
    return ps_end_utt(decoder) < 0 || failed ? -1 : 0;
#else
    kps_measure(decoder, samples, count, spectrum);
    if (ps_start_stream(decoder) < 0 || ps_start_utt(decoder) < 0) return -1;
    if (spectrum->count > 0) {
        mfcc_t mean[32];
        for (int k = 0; k < 32; k++) mean[k] = (mfcc_t)(spectrum->sum[k] / spectrum->count);
        cmn_live_set(ps_get_feat(decoder)->cmn_struct, mean);
    }
    int result = 0;
    const size_t block = 1600;
    for (size_t at = 0; at < count && result == 0; at += block) {
        if (stop(context)) result = 1;
        else if (ps_process_raw(decoder, samples + at, count - at < block ? count - at : block, FALSE, FALSE) < 0)
            result = -1;
    }
    if (ps_end_utt(decoder) < 0 && result == 0) result = -1;
    return result;
#endif
}

/// Frames of 10 ms from the utterance's beginning; `end` is behind the last one.
static inline void kps_times(ps_seg_t *word, int *start, int *end) {
    ps_seg_frames(word, start, end);
    *end += 1;
}

/// The word's posterior probability, 0 to 1.
static inline double kps_confidence(ps_decoder_t *decoder, ps_seg_t *word) {
    int32 acoustic = 0, language = 0, backoff = 0;
    double value = logmath_exp(ps_get_logmath(decoder), ps_seg_prob(word, &acoustic, &language, &backoff));
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

#ifdef __cplusplus
}
#endif
#endif
