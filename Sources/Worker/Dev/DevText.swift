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
        // What is not given is recognised.
        let subtitles =
            switch work.subtitles {
            case .embedded: #", "subtitles": {"embedded": null}"#
            case .file(let location): #", "subtitles": {"file": "\#(location)"}"#
            default: ""
            }
        return """
            Try, in another terminal:
              job=$(curl -s \(api)/v1/jobs -H 'Content-Type: application/json' -d '{"kind": "pipeline.caption_video", "payload": {"input": "\(work.input)"\(subtitles), "captions": {"preset": "karaoke"}}}' | sed 's/.*"id" *: *"\\([^"]*\\)".*/\\1/')
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
        var text = "\(output.printable): \(facts.joined(separator: ", "))\nburnt in: \(captions.text.printable)"
        if case .speech = captions, let speech = outcome.speech {
            text += speech.words == 0 ? ": no words" : ""
            if let engine = speech.engine { text += ", by \(engine.printable)" }
            if speech.quality == .draft { text += ", a draft" }
        }
        return text
    }
}
