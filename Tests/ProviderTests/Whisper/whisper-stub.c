// The C interface of whisper.cpp as far as it is used, in one of the two forms that its parameters have had, or in a third
// that they have not: LAYOUT is 0, 1 or 2. It says "hello wörld" over what is heard; a model with the word "hang" in it
// never comes to an end.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct context_params {
    bool use_gpu, flash_attn;
    int gpu_device;
    bool dtw;
    int preset, n_top;
    size_t n_heads;
    const void *heads;
    size_t mem_size;
};

struct full_params {
    int strategy, n_threads, n_max_text_ctx, offset_ms, duration_ms;
    bool translate, no_context, no_timestamps, single_segment, print_special, print_progress, print_realtime,
        print_timestamps, token_timestamps;
#if LAYOUT == 2
    double something_new;
#endif
    float thold_pt, thold_ptsum;
    int max_len;
    bool split_on_word;
    int max_tokens;
    bool debug_mode;
    int audio_ctx;
    bool tdrz_enable;
    const char *suppress_regex, *initial_prompt;
#if LAYOUT >= 1
    bool carry_initial_prompt;
#endif
    const int32_t *prompt_tokens;
    int prompt_n_tokens;
    const char *language;
    bool detect_language, suppress_blank, suppress_nst;
    float temperature, max_initial_ts, length_penalty, temperature_inc, entropy_thold, logprob_thold, no_speech_thold;
    struct { int best_of; } greedy;
    struct { int beam_size; float patience; } beam_search;
    void (*new_segment_callback)(void *, void *, int, void *);
    void *new_segment_callback_user_data;
    void (*progress_callback)(void *, void *, int, void *);
    void *progress_callback_user_data;
    bool (*encoder_begin_callback)(void *, void *, void *);
    void *encoder_begin_callback_user_data;
    bool (*abort_callback)(void *);
    void *abort_callback_user_data;
    void *logits_filter_callback, *logits_filter_callback_user_data;
    const void **grammar_rules;
    size_t n_grammar_rules, i_start_rule;
    float grammar_penalty;
    bool vad;
    const char *vad_model_path;
    float vad_params[6];
};

struct token_data {
    int32_t id, tid;
    float p, plog, pt, ptsum;
    int64_t t0, t1, t_dtw;
    float vlen;
};

struct context {
    bool hangs;
    char language[8];
    int64_t start, end;
};

const char *whisper_version(void) { return LAYOUT == 2 ? "7.0.0" : "1.8.4"; }
void whisper_log_set(void *callback, void *data) { (void)callback, (void)data; }
struct context_params *whisper_context_default_params_by_ref(void) {
    struct context_params *params = calloc(1, sizeof *params);
    params->gpu_device = 77;
    return params;
}
void whisper_free_context_params(struct context_params *params) { free(params); }

struct full_params *whisper_full_default_params_by_ref(int strategy) {
    struct full_params *params = calloc(1, sizeof *params);
    params->strategy = strategy;
    params->n_threads = 4;
    params->print_progress = params->print_timestamps = true;
    params->thold_pt = params->thold_ptsum = 0.01f;
    params->language = "en";
    params->max_initial_ts = 1;
    params->length_penalty = -1;
    params->entropy_thold = 2.4f;
    params->logprob_thold = -1;
    params->grammar_penalty = 100;
    return params;
}
void whisper_free_params(struct full_params *params) { free(params); }

void *whisper_init_from_file_with_params(const char *path, struct context_params params) {
    char text[16] = {0};
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    size_t count = fread(text, 1, 15, file);
    fclose(file);
    if (count < 4 || params.gpu_device != 77 || (strncmp(text, "stub", 4) && strncmp(text, "hang", 4))) return NULL;
    struct context *context = calloc(1, sizeof *context);
    context->hangs = text[0] == 'h';
    return context;
}
void whisper_free(void *context) { free(context); }
int whisper_is_multilingual(void *context) { return (void)context, 1; }
int whisper_lang_id(const char *language) {
    return !strcmp(language, "en") ? 0 : !strcmp(language, "de") ? 1 : -1;
}
const char *whisper_lang_str(int id) { return id == 1 ? "de" : "en"; }
int whisper_full_lang_id(void *context) { return whisper_lang_id(((struct context *)context)->language); }

int whisper_full(void *given, struct full_params params, const float *samples, int count) {
    struct context *context = given;
    if (params.n_threads != 3 || !params.token_timestamps || !params.no_context || params.print_progress
        || params.print_timestamps || !params.initial_prompt || strcmp(params.initial_prompt, "Wörld"))
        return -7;
    strcpy(context->language, strcmp(params.language, "auto") ? params.language : "de");
    if (params.encoder_begin_callback
        && !params.encoder_begin_callback(context, NULL, params.encoder_begin_callback_user_data))
        return -6;
    params.progress_callback(context, NULL, 50, params.progress_callback_user_data);
    while (context->hangs) {
        if (params.abort_callback(params.abort_callback_user_data)) return -6;
    }
    int first = 0, last = count - 1;
    while (first < last && samples[first] < 0.05f && samples[first] > -0.05f) first++;
    while (last > first && samples[last] < 0.05f && samples[last] > -0.05f) last--;
    context->start = first / 160;
    context->end = last / 160;
    return 0;
}

// " hello", " w", half an ö, the other half, "rld", and what is no text.
static const char *pieces[] = {"[_BEG_]", " hello", " w", "\xC3", "\xB6", "rld", "[_TT_50]"};
static const int32_t ids[] = {50001, 1, 2, 3, 4, 5, 50002};

int whisper_full_n_segments(void *context) { return (void)context, 1; }
int64_t whisper_full_get_segment_t0(void *context, int segment) {
    return (void)segment, ((struct context *)context)->start;
}
int64_t whisper_full_get_segment_t1(void *context, int segment) {
    return (void)segment, ((struct context *)context)->end;
}
int whisper_full_n_tokens(void *context, int segment) { return (void)context, (void)segment, 7; }
const char *whisper_full_get_token_text(void *context, int segment, int token) {
    return (void)context, (void)segment, pieces[token];
}
int32_t whisper_full_get_token_id(void *context, int segment, int token) {
    return (void)context, (void)segment, ids[token];
}
struct token_data whisper_full_get_token_data(void *given, int segment, int token) {
    (void)segment;
    struct context *context = given;
    struct token_data data = {0};
    int64_t middle = (context->start + context->end) / 2;
    data.id = ids[token];
    data.p = token == 4 ? 0.5f : 0.9f;
    data.t0 = token < 2 ? context->start : middle;
    data.t1 = token < 2 ? middle : context->end;
    return data;
}
int32_t whisper_token_eot(void *context) { return (void)context, 50000; }
