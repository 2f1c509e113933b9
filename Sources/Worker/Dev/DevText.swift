import MediaKit

/// What `kiln dev` tells people.
enum DevText {
    /// Where everything is.
    static func places(
        api: String, database: String, folder: DevFolder, programs: String, signing: DevEnvironment.Signing
    ) -> String {
        """
          API       \(api)   (\(api)/docs says what it can do)
          webhooks  signed with \(signing.made ?? "KILN_WEBHOOK_SECRET")
          database  '\(database)'
          store     \(folder.store)
          log       \(folder.postgresLog)   (Postgres of \(programs))

        """
    }

    /// Lines to paste into a shell: a job, its state, its result.
    static func trial(api: String, _ work: DevStore.Work) -> String {
        let subtitles =
            switch work.subtitles {
            case .embedded: #"{"embedded": null}"#
            case .file(let location): #"{"file": "\#(location)"}"#
            case .text, .transcript: #"{"text": "1\n00:00:00,000 --> 00:00:10,000\nKiln"}"#
            }
        return """
            Try, in another terminal:
              job=$(curl -s \(api)/v1/jobs -H 'Content-Type: application/json' -d '{"kind": "media.burn_subtitles", "payload": {"input": "\(work.input)", "subtitles": \(subtitles)}}' | sed 's/.*"id" *: *"\\([^"]*\\)".*/\\1/')
              curl -s \(api)/v1/jobs/$job
              curl -sL -o captioned.mp4 \(api)/v1/jobs/$job/download

            """
    }

    static func staying(_ folder: DevFolder) -> String {
        folder.isKept
            ? "Ctrl-C ends it; \(folder.path) is kept, until you remove it.\n"
            : "Ctrl-C ends it, and removes \(folder.path) with all jobs and files in it (--keep keeps it).\n"
    }

    /// What has been made, in a line or two.
    static func made(_ output: String, _ captions: DevCaptions, _ outcome: DevJob.Outcome) -> String {
        var facts = [Figures.clock(outcome.result.duration ?? 0)]
        if let size = outcome.result.size { facts.append(Figures.bytes(size)) }
        facts.append("in \(Figures.fixed(outcome.seconds, 1)) s from the queue to the file")
        return "\(output.printable): \(facts.joined(separator: ", "))\nburnt in: \(captions.text.printable)"
    }
}
