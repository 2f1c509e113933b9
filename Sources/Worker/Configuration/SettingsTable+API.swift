extension SettingsTable {
    static let http = SettingsSection("HTTP API") {
        Setting(
            "http.enabled", "KILN_HTTP", at: \.value.http.isEnabled, .flag,
            "Whether `kiln worker` serves the API as well, as with `--http`. `kiln serve` does anyway.")
        Setting(
            "http.address", "KILN_HTTP_ADDRESS", at: \.value.http.address, .address,
            "Where the API listens. Beyond the machine itself, or behind a proxy, it needs a token: `kiln token create`."
        )
        Setting(
            "http.port", "KILN_HTTP_PORT", "PORT", at: \.value.http.port, .port,
            "The API's port; 0 for any that is free.")
        Setting(
            "http.publicURL", "KILN_PUBLIC_URL", at: \.value.http.publicURL, .optional(.url),
            fallback: "the request's host",
            "The URL that others know the API by, for the links in its answers.")
        Setting(
            "http.proxies", "KILN_PROXIES", at: \.value.http.proxies, .count(0...10),
            "How many proxies lie before the API, each of which appends to `X-Forwarded-For`: what tells clients without a "
                + "token apart.")
        Setting(
            "http.maxBody", "KILN_MAX_BODY", at: \.value.http.maximumBodyBytes, .size(1 << 10...1 << 30),
            "Size of a request's body at most.")
        Setting(
            "http.requestsPerMinute", "KILN_RATE_LIMIT", at: \.value.http.requestsPerMinute,
            .optional(.count(1...1_000_000)),
            "Requests a minute of one token, or of one address without a token.")
        Setting(
            "http.corsOrigins", "KILN_CORS_ORIGINS", at: \.value.http.corsOrigins, .origins,
            "Origins whose pages may call the API from a browser; `*` for all.")
    }

    static let health = SettingsSection("Health and metrics") {
        Setting(
            "health.enabled", "ENABLE_HEALTH_CHECK", at: \.value.health.isEnabled, .flag,
            "Whether there is a listener for `/health`, `/ready`, `/status` and `/metrics` alone, without a token.")
        Setting(
            "health.address", "HEALTH_CHECK_ADDRESS", at: \.value.health.address, .address, "Where it listens.")
        Setting(
            "health.port", "HEALTH_CHECK_PORT", at: \.value.health.port, .port, "Its port; 0 for any that is free.")
    }

    static let uploads = SettingsSection("Uploads from browsers") {
        Setting(
            "uploads.maxSize", "KILN_UPLOAD_MAX_SIZE", at: \.value.uploads.maximumBytes, .size(1...5 << 30),
            "Size of an upload at most; S3 takes 5Gi in one request.")
        Setting(
            "uploads.types", "KILN_UPLOAD_TYPES", at: \.value.uploads.contentTypes, .mediaTypes,
            "Media types that are taken.")
        Setting(
            "uploads.prefix", "KILN_UPLOAD_PREFIX", at: \.value.uploads.prefix, .keyPrefix,
            "What the keys of uploads begin with in the default store.")
        Setting(
            "uploads.linkExpiry", "KILN_UPLOAD_EXPIRY", at: \.value.uploads.linkExpiry, .duration(.seconds(1)...week),
            "How long the URL of an upload is good.")
    }

    static let webhooks = SettingsSection("Webhooks") {
        Setting(
            "webhooks.secrets", "KILN_WEBHOOK_SECRET", at: \.value.webhooks.secrets, .signingSecrets, isSecret: true,
            "What webhooks and `http.request` jobs are signed with, by Standard Webhooks; two while keys are changed.")
        Setting(
            "webhooks.unsigned", "KILN_WEBHOOK_UNSIGNED", at: \.value.webhooks.allowsUnsigned, .flag,
            "Whether webhooks are sent without a signature where there is no `KILN_WEBHOOK_SECRET`. Else they wait for "
                + "one.")
    }

    static let hooks = SettingsSection("Incoming webhooks") {
        Setting(
            "hooks.secrets", "KILN_HOOK_SECRETS", at: \.value.hooks.secrets, .signingSecrets, isSecret: true,
            "What messages to `POST /v1/hooks/{kind}` are signed with, by Standard Webhooks; several while keys are changed."
        )
        Setting(
            "hooks.kinds", "KILN_HOOK_KINDS", at: \.value.hooks.kinds,
            .names("kinds of jobs, such as media.transcode,media.probe"),
            "The kinds of jobs that may come so, without a token.")
    }
}
