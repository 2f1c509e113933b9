extension SettingsTable {
    /// What `StorageSettings` reads, under its own names; it checks them, too.
    static let storage = SettingsSection("Stores") {
        Setting(
            "storage.default", "KILN_STORE", at: \.storage["KILN_STORE"],
            .optional(.text("s3://bucket, or the absolute path of a folder"), "unset"),
            fallback: "`R2_BUCKET_NAME`, if set",
            "What `store://` means, where results and uploads go: `s3://bucket` or a folder's path.")
        Setting(
            "storage.r2.endpoint", "R2_ENDPOINT", at: \.storage["R2_ENDPOINT"], .optional(.urlText, "unset"),
            "Cloudflare R2, or any S3 service that is addressed by path. With it, the `AWS_` variables do not count.")
        Setting(
            "storage.r2.bucket", "R2_BUCKET_NAME", at: \.storage["R2_BUCKET_NAME"],
            .optional(.text("a bucket"), "unset"),
            "The bucket that `store://` means.")
        Setting(
            "storage.r2.accessKeyId", "R2_ACCESS_KEY_ID", at: \.storage["R2_ACCESS_KEY_ID"],
            .optional(.text("an access key"), "unset"), "Its access key.")
        Setting(
            "storage.r2.secretAccessKey", "R2_SECRET_ACCESS_KEY", at: \.storage["R2_SECRET_ACCESS_KEY"],
            .optional(.secret("a secret key"), "unset"), isSecret: true, "Its secret key.")
        Setting(
            "storage.s3.endpoint", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", at: \.storage["AWS_ENDPOINT_URL_S3"],
            .optional(.urlText, "unset"), fallback: "AWS", "An S3 service other than AWS.")
        Setting(
            "storage.s3.region", "AWS_REGION", "AWS_DEFAULT_REGION", at: \.storage["AWS_REGION"],
            .optional(.text("a region"), "unset"), fallback: "us-east-1", "The region of the buckets.")
        Setting(
            "storage.s3.accessKeyId", "AWS_ACCESS_KEY_ID", at: \.storage["AWS_ACCESS_KEY_ID"],
            .optional(.text("an access key"), "unset"), fallback: "the container's or machine's role",
            "The access key, if no role is attached.")
        Setting(
            "storage.s3.secretAccessKey", "AWS_SECRET_ACCESS_KEY", at: \.storage["AWS_SECRET_ACCESS_KEY"],
            .optional(.secret("a secret key"), "unset"), isSecret: true, "Its secret key.")
        Setting(
            "storage.s3.sessionToken", "AWS_SESSION_TOKEN", at: \.storage["AWS_SESSION_TOKEN"],
            .optional(.secret("a token"), "unset"), isSecret: true, "The token of temporary credentials.")
        Setting(
            "storage.certificates", "AWS_CA_BUNDLE", at: \.storage["AWS_CA_BUNDLE"],
            .optional(.text("a file of certificates in PEM"), "unset"), fallback: "the system's",
            "A file of certificates that are trusted instead of the system's.")
    }
}
