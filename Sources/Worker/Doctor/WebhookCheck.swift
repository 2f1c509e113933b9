/// Whether the app can tell that messages are from here.
struct WebhookCheck: DoctorCheck {
    let name = "webhooks"

    func run(_ context: DoctorContext) async throws -> [DoctorFinding] {
        let count = context.configuration.webhooks.secrets.count
        guard count > 0 else {
            let webhooks =
                context.configuration.webhooks.allowsUnsigned
                ? "webhooks are sent without a signature" : "no webhook is sent"
            return [
                .note(
                    "messages to the app cannot be signed: http.request jobs do not run, \(webhooks)",
                    "set KILN_WEBHOOK_SECRET, as from: openssl rand -base64 32")
            ]
        }
        return [.ok("signed with \(count == 1 ? "one key" : "\(count) keys")")]
    }
}
