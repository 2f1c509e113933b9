#define _GNU_SOURCE
#include "CWhisper.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Structures of the library are passed by value, and grow from release to release. A larger one than the library knows
// does no harm: what is larger than 16 bytes is passed in memory by the ABIs of x86-64 and AArch64, as the last thing
// there, and read as far as it is known.
typedef struct {
    _Alignas(8) unsigned char bytes[1024];
} parameters;

typedef struct {
    int32_t id, tid;
    float p, plog, pt, ptsum;
    int64_t t0, t1, t_dtw;
    float vlen;
    // Room for what a later release may add.
    unsigned char rest[64];
} token_data;

// Where the members lie that are set. Up to 1.8.0, and from 1.8.1, which put carry_initial_prompt in.
typedef struct {
    size_t threads, no_context, print_progress, print_timestamps, token_timestamps, threshold, initial_prompt, language,
        maximum_initial, entropy, progress, encoder_begin, abort, grammar_penalty;
} layout;

static const layout layouts[] = {
    {4, 21, 25, 27, 28, 32, 72, 96, 112, 124, 168, 184, 200, 256},
    {4, 21, 25, 27, 28, 32, 72, 104, 120, 132, 176, 192, 208, 264},
};

struct kwh_library {
    void *handle;
    // Whether it stays in memory: its threads and graphics drivers do not all survive being unloaded.
    bool stays;
    const layout *layout;
    char version[64];
    const char *(*whisper_version)(void);
    void *(*context_defaults)(void);
    void (*free_context_defaults)(void *);
    void *(*defaults)(int);
    void (*free_defaults)(void *);
    void *(*init)(const char *, parameters);
    void (*free)(void *);
    int (*full)(void *, parameters, const float *, int);
    int (*is_multilingual)(void *);
    int (*lang_id)(const char *);
    const char *(*lang_str)(int);
    int (*full_lang_id)(void *);
    int (*segment_count)(void *);
    int64_t (*segment_start)(void *, int);
    int64_t (*segment_end)(void *, int);
    int (*token_count)(void *, int);
    const char *(*token_text)(void *, int, int);
    int32_t (*token_id)(void *, int, int);
    token_data (*token)(void *, int, int);
    int32_t (*end_of_text)(void *);
    void (*log_set)(void (*)(int, const char *, void *), void *);
};

struct kwh_model {
    kwh_library *library;
    void *context;
};

static void ignore(int level, const char *text, void *context) { (void)level, (void)text, (void)context; }

// The library's own structure, as far as its allocation reaches.
static parameters copied(const void *structure) {
    parameters copy;
    memset(&copy, 0, sizeof copy);
    size_t size = malloc_usable_size((void *)structure);
    memcpy(copy.bytes, structure, size < sizeof copy ? size : sizeof copy);
    return copy;
}

static float number(const parameters *values, size_t offset) {
    float value;
    memcpy(&value, values->bytes + offset, sizeof value);
    return value;
}

// Defaults that no release has changed stand on both sides of all that is set: where they are found, the rest is.
static bool fits(const parameters *values, const layout *at) {
    return number(values, at->threshold) == 0.01f && number(values, at->threshold + 4) == 0.01f
        && number(values, at->maximum_initial) == 1.0f && number(values, at->maximum_initial + 4) == -1.0f
        && number(values, at->entropy) == 2.4f && number(values, at->entropy + 4) == -1.0f
        && number(values, at->grammar_penalty) == 100.0f;
}

static const layout *find_layout(kwh_library *library) {
    void *defaults = library->defaults(0);
    if (!defaults) return NULL;
    const layout *found = NULL;
    parameters values = copied(defaults);
    if (malloc_usable_size(defaults) >= layouts[0].grammar_penalty + 4) {
        for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
            if (fits(&values, &layouts[i])) found = &layouts[i];
        }
    }
    // The language is a pointer to "en" in all of them; only looked at where the numbers fit.
    if (found) {
        const char *language;
        memcpy(&language, values.bytes + found->language, sizeof language);
        if (!language || strcmp(language, "en") != 0) found = NULL;
    }
    library->free_defaults(defaults);
    return found;
}

#define FIND(member, name)                                                                       \
    if (!(*(void **)&library->member = dlsym(library->handle, name))) {                          \
        snprintf(message, capacity, "it has no %s, which whisper.cpp has since 1.6", name);      \
        kwh_close(library);                                                                      \
        return NULL;                                                                             \
    }

kwh_library *kwh_open(const char *path, char *message, size_t capacity) {
    kwh_library *library = calloc(1, sizeof *library);
    if (!library) return NULL;
    library->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library->handle) {
        const char *reason = dlerror();
        snprintf(message, capacity, "%s", reason ? reason : "it cannot be loaded");
        free(library);
        return NULL;
    }
    FIND(context_defaults, "whisper_context_default_params_by_ref")
    FIND(free_context_defaults, "whisper_free_context_params")
    FIND(defaults, "whisper_full_default_params_by_ref")
    FIND(free_defaults, "whisper_free_params")
    FIND(init, "whisper_init_from_file_with_params")
    FIND(free, "whisper_free")
    FIND(full, "whisper_full")
    FIND(is_multilingual, "whisper_is_multilingual")
    FIND(lang_id, "whisper_lang_id")
    FIND(lang_str, "whisper_lang_str")
    FIND(full_lang_id, "whisper_full_lang_id")
    FIND(segment_count, "whisper_full_n_segments")
    FIND(segment_start, "whisper_full_get_segment_t0")
    FIND(segment_end, "whisper_full_get_segment_t1")
    FIND(token_count, "whisper_full_n_tokens")
    FIND(token_text, "whisper_full_get_token_text")
    FIND(token_id, "whisper_full_get_token_id")
    FIND(token, "whisper_full_get_token_data")
    FIND(end_of_text, "whisper_token_eot")
    FIND(log_set, "whisper_log_set")
    *(void **)&library->whisper_version = dlsym(library->handle, "whisper_version");
    const char *version = library->whisper_version ? library->whisper_version() : NULL;
    snprintf(library->version, sizeof library->version, "%s", version ? version : "before 1.8");
    library->log_set(ignore, NULL);
    library->layout = find_layout(library);
    if (!library->layout) {
        snprintf(
            message, capacity,
            "its version is %s, and its parameters lie otherwise than in 1.6 to 1.9, which are known here",
            library->version);
        kwh_close(library);
        return NULL;
    }
    // Where ggml is built in parts, those for this machine are loaded only when they are asked for.
    void (*load_backends)(void);
    *(void **)&load_backends = dlsym(library->handle, "ggml_backend_load_all");
    library->stays = true;
    if (load_backends) load_backends();
    // Without one, the library ends the process when a model is loaded.
    size_t (*device_count)(void);
    *(void **)&device_count = dlsym(library->handle, "ggml_backend_dev_count");
    if (device_count && device_count() == 0) {
        snprintf(message, capacity, "its version is %s, and ggml finds nothing to compute with", library->version);
        kwh_close(library);
        return NULL;
    }
    return library;
}

void kwh_close(kwh_library *library) {
    if (!library) return;
    if (!library->stays) dlclose(library->handle);
    free(library);
}

const char *kwh_version(const kwh_library *library) { return library->version; }

kwh_model *kwh_load(kwh_library *library, const char *path) {
    void *defaults = library->context_defaults();
    if (!defaults) return NULL;
    parameters values = copied(defaults);
    library->free_context_defaults(defaults);
    kwh_model *model = calloc(1, sizeof *model);
    if (!model) return NULL;
    model->library = library;
    model->context = library->init(path, values);
    if (!model->context) {
        free(model);
        return NULL;
    }
    return model;
}

void kwh_free(kwh_model *model) {
    if (!model) return;
    model->library->free(model->context);
    free(model);
}

bool kwh_is_multilingual(const kwh_model *model) { return model->library->is_multilingual(model->context) != 0; }

bool kwh_knows_language(const kwh_model *model, const char *language) {
    return model->library->lang_id(language) >= 0;
}

// What is called back gets no more than one pointer.
static void progressed(void *context, void *state, int percent, void *options) {
    (void)context, (void)state;
    const kwh_options *own = options;
    own->progress(percent, own->context);
}

static bool begins(void *context, void *state, void *options) {
    (void)context, (void)state;
    const kwh_options *own = options;
    return !own->stop(own->context);
}

static bool aborts(void *options) {
    const kwh_options *own = options;
    return own->stop(own->context);
}

static void set_pointer(parameters *values, size_t offset, const void *pointer) {
    memcpy(values->bytes + offset, &pointer, sizeof pointer);
}

static void set_callback(parameters *values, size_t offset, void (*function)(void), const void *context) {
    memcpy(values->bytes + offset, &function, sizeof function);
    set_pointer(values, offset + sizeof function, context);
}

int kwh_recognise(kwh_model *model, const float *samples, int count, const kwh_options *options) {
    kwh_library *library = model->library;
    const layout *at = library->layout;
    // WHISPER_SAMPLING_GREEDY
    void *defaults = library->defaults(0);
    if (!defaults) return -100;
    parameters values = copied(defaults);
    memcpy(values.bytes + at->threads, &options->threads, sizeof options->threads);
    // Chunks of several recordings take turns: none is to hear what another said.
    values.bytes[at->no_context] = true;
    values.bytes[at->print_progress] = false;
    values.bytes[at->print_timestamps] = false;
    values.bytes[at->token_timestamps] = true;
    if (options->prompt) set_pointer(&values, at->initial_prompt, options->prompt);
    set_pointer(&values, at->language, options->language ? options->language : "auto");
    set_callback(&values, at->progress, (void (*)(void))progressed, options);
    set_callback(&values, at->encoder_begin, (void (*)(void))begins, options);
    set_callback(&values, at->abort, (void (*)(void))aborts, options);
    int result = library->full(model->context, values, samples, count);
    library->free_defaults(defaults);
    return result;
}

const char *kwh_language(const kwh_model *model) {
    int id = model->library->full_lang_id(model->context);
    return id < 0 ? NULL : model->library->lang_str(id);
}

int kwh_segment_count(const kwh_model *model) { return model->library->segment_count(model->context); }

int kwh_token_count(const kwh_model *model, int segment) {
    return model->library->token_count(model->context, segment);
}

kwh_token kwh_get_token(const kwh_model *model, int segment, int token) {
    const kwh_library *library = model->library;
    kwh_token found = {NULL, 0, -1, -1};
    int32_t id = library->token_id(model->context, segment, token);
    // Times, languages and the like come after the end of text.
    if (id >= library->end_of_text(model->context)) return found;
    token_data data = library->token(model->context, segment, token);
    if (data.id != id) return found;
    found.text = library->token_text(model->context, segment, token);
    found.probability = data.p;
    found.start = data.t0;
    found.end = data.t1;
    return found;
}

void kwh_segment_times(const kwh_model *model, int segment, int64_t *start, int64_t *end) {
    *start = model->library->segment_start(model->context, segment);
    *end = model->library->segment_end(model->context, segment);
}
