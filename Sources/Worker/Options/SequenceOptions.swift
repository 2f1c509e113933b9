import ArgumentParser
import MediaKit

/// How clips follow each other.
struct SequenceOptions: ParsableArguments {
    @Option(help: "Seconds of cross-fade between neighbours (default: a hard cut).")
    var fade: Seconds?
    @Option(help: "What the cross-fade looks like: fade, dissolve, wipeleft, slideup, … (default: fade).")
    var transition: CrossFade.Transition?
    @Option(help: "The colour around pictures of another shape, such as #102030 (default: black).")
    var background: CaptionColor = .black

    func validate() throws {
        if transition != nil, fade == nil { throw ValidationError("--transition needs --fade") }
    }

    var crossFade: CrossFade? { fade.map { CrossFade(transition ?? .fade, seconds: $0.value) } }
}
