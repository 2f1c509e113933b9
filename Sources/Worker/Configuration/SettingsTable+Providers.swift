extension SettingsTable {
    static let speech = SettingsSection("Speech") {
        Setting(
            "speech.engine", "KILN_SPEECH_ENGINE", at: \.value.providers.speech.engine, .choice,
            "What recognises speech, unless a job says so. With `auto` it is `openai` where `OPENAI_API_KEY` is set, else "
                + "`whisper` where `WHISPER_MODEL` is, else `pocketsphinx`, which is weak.")
        Setting(
            "openai.key", "OPENAI_API_KEY", at: \.value.providers.openAI.key, .optional(.secret("a key")),
            isSecret: true, "The key of OpenAI, or of a server that speaks as it does.")
        Setting(
            "openai.baseURL", "OPENAI_BASE_URL", at: \.value.providers.openAI.baseURL, .url,
            "Where that server is, up to and with the version.")
        Setting(
            "speech.model", "KILN_SPEECH_MODEL", at: \.value.providers.speech.model, .text("a model's name"),
            "The model of that server that recognises speech.")
        Setting(
            "speech.requests", "KILN_SPEECH_REQUESTS", at: \.value.providers.speech.requests, .count(1...64),
            "Requests at a time for one recording; 1 for a server that works on one after the other.")
        Setting(
            "speech.format", "KILN_SPEECH_FORMAT", at: \.value.providers.speech.format, .choice,
            "What the sound is sent to it as. A server that cannot read it is sent `wav` after its refusal.")
        Setting(
            "speech.chunk", "KILN_SPEECH_CHUNK", at: \.value.providers.speech.longestChunk,
            .seconds(.seconds(10) ... .seconds(1300)),
            "How much sound one request holds at most. A slow server needs less: each is to be answered within 300 s.")
        Setting(
            "speech.pricePerMinute", "KILN_SPEECH_PRICE", at: \.value.providers.speech.pricePerMinute,
            .optional(.number(0...1000)), fallback: "the model's list price",
            "US dollars for a minute of sound, for the cost in results.")
        Setting(
            "speech.whisperModel", "WHISPER_MODEL", at: \.value.providers.speech.whisperModel,
            .optional(.text("a file")), "A model file of whisper.cpp, which then runs in the process.")
        Setting(
            "speech.whisperLibrary", "WHISPER_LIBRARY", at: \.value.providers.speech.whisperLibrary,
            .optional(.text("a file")), fallback: "libwhisper.so of the system", "The library of whisper.cpp.")
        Setting(
            "speech.pocketSphinxModel", "POCKETSPHINX_MODEL", at: \.value.providers.speech.pocketSphinxModel,
            .text("a folder"), "The folder of PocketSphinx's models.")
    }

    static let models = SettingsSection("Language models, pictures and calls") {
        Setting(
            "chat.service", "KILN_CHAT", at: \.value.providers.chat.service, .choice,
            "Who writes summaries and translations. With `auto` it is `openai` or `anthropic`, whichever has a key.")
        Setting(
            "chat.model", "KILN_CHAT_MODEL", at: \.value.providers.chat.model, .optional(.text("a model's name")),
            fallback: "a usual one of the service", "Its model.")
        Setting(
            "anthropic.key", "ANTHROPIC_API_KEY", at: \.value.providers.anthropic.key, .optional(.secret("a key")),
            isSecret: true, "The key of Anthropic.")
        Setting(
            "anthropic.baseURL", "ANTHROPIC_BASE_URL", at: \.value.providers.anthropic.baseURL, .url,
            "Where Anthropic is, without the version.")
        Setting(
            "fal.key", "FAL_KEY", at: \.value.providers.fal.key, .optional(.secret("a key")), isSecret: true,
            "The key of fal.ai, which makes pictures and clips.")
        Setting(
            "fal.queueURL", "FAL_QUEUE_URL", at: \.value.providers.fal.queueURL, .url, "Where its queue is.")
        Setting(
            "fal.imageModel", "FAL_IMAGE_MODEL", at: \.value.providers.fal.imageModel, .text("an endpoint"),
            "Its model of pictures.")
        Setting(
            "fal.videoModel", "FAL_VIDEO_MODEL", at: \.value.providers.fal.videoModel, .text("an endpoint"),
            "Its model of clips.")
        Setting(
            "twilio.accountSID", "TWILIO_ACCOUNT_SID", at: \.value.providers.twilio.accountSID,
            .optional(.text("an account's SID")), "For recordings that do not say whose they are.")
        Setting(
            "twilio.authToken", "TWILIO_AUTH_TOKEN", at: \.value.providers.twilio.authToken,
            .optional(.secret("a token")), isSecret: true,
            "The account's primary token: recordings are fetched with it, and Twilio signs its webhooks with it.")
        Setting(
            "twilio.hosts", "KILN_TWILIO_HOSTS", at: \.value.providers.twilio.hosts, .names("hosts"),
            "The hosts that this token is sent to.")
    }
}
