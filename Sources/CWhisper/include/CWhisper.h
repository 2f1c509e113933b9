// whisper.cpp, loaded at run time: it is asked for by few, and no release of a distribution's stable has it.
//
// Only what is declared here is used of its C interface (include/whisper.h, MIT licence, Georgi Gerganov and others).
#ifndef KILN_WHISPER_H
#define KILN_WHISPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A library that is loaded. Thread-safe.
typedef struct kwh_library kwh_library;
/// A model that is loaded. For one thread at a time.
typedef struct kwh_model kwh_model;

/// Loads a library and looks whether its interface is one that is known. NULL if not: `message` then says why.
kwh_library *kwh_open(const char *path, char *message, size_t capacity);
void kwh_close(kwh_library *library);
/// As the library says; "before 1.8" where it does not.
const char *kwh_version(const kwh_library *library);

/// NULL if the file is no model.
kwh_model *kwh_load(kwh_library *library, const char *path);
void kwh_free(kwh_model *model);
/// Whether it knows other languages than English.
bool kwh_is_multilingual(const kwh_model *model);
/// Whether it knows a language, by its ISO 639-1 code.
bool kwh_knows_language(const kwh_model *model, const char *language);

typedef struct {
    int threads;
    /// NULL to have it found out.
    const char *language;
    /// NULL for none.
    const char *prompt;
    /// Called on the calling thread or one of the library's.
    void (*progress)(int percent, void *context);
    /// Whether to stop; the same.
    bool (*stop)(void *context);
    void *context;
} kwh_options;

/// Recognises 16 kHz mono. What it found is then the model's until the next call.
/// Returns 0, or what the library returned.
int kwh_recognise(kwh_model *model, const float *samples, int count, const kwh_options *options);

/// ISO 639-1; NULL if it is not known.
const char *kwh_language(const kwh_model *model);
int kwh_segment_count(const kwh_model *model);
int kwh_token_count(const kwh_model *model, int segment);

typedef struct {
    /// A piece of UTF-8, which may end within a character. NULL for what is no text.
    const char *text;
    /// 0 to 1.
    float probability;
    /// Hundredths of a second; negative if they are not known.
    int64_t start, end;
} kwh_token;

kwh_token kwh_get_token(const kwh_model *model, int segment, int token);
/// Hundredths of a second.
void kwh_segment_times(const kwh_model *model, int segment, int64_t *start, int64_t *end);

#endif
