import ArgumentParser
import MediaKit

struct CapabilitiesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capabilities", abstract: "Tell what these libraries can do: versions, codecs, filters, fonts.")

    @Flag(help: "Print them as JSON.")
    var json = false

    func run() async throws {
        do {
            let capabilities = try Capabilities.current()
            try Console.output.print(json ? JSONText.pretty(capabilities) : Self.text(capabilities))
        } catch {
            throw CommandFailure(any: error, json: json ? .output : nil)
        }
    }

    static func text(_ capabilities: Capabilities) -> String {
        var versions = TextTable()
        versions.add(["kiln", capabilities.version])
        versions.add(["FFmpeg", capabilities.ffmpeg])
        for library in capabilities.libraries {
            let note = library.built == library.loaded ? "" : "built against \(library.built)"
            versions.add(["lib\(library.name)", library.loaded, note])
        }
        versions.add(["libass", capabilities.libass])
        versions.add(["cores", "\(capabilities.cores)"])

        var codecs = TextTable()
        codecs.add(["", "Encoder", "Decoder"])
        for codec in capabilities.video + capabilities.audio {
            codecs.add([codec.name, codec.encoder ?? "missing", codec.decoder ?? "missing"])
        }
        for codec in capabilities.subtitles { codecs.add([codec.name, "", codec.decoder ?? "missing"]) }

        var filters = TextTable()
        for filter in capabilities.filters {
            filters.add([filter.name, filter.isAvailable ? "there" : "missing", filter.purpose])
        }
        let fonts = capabilities.fonts
        let isAlone = fonts.providers.isEmpty
        let providers = isAlone ? "nobody: a request must bring its own" : fonts.providers.joined(separator: ", ")
        let lines: [String] =
            ["Versions"] + versions.lines()
            + ["", "Containers", "  \(capabilities.containers.map(\.rawValue).joined(separator: ", "))"]
            + ["", "Codecs"] + codecs.lines()
            + ["", "Filters"] + filters.lines()
            + ["", "Fonts", "  \(fonts.files) files, found by \(providers)"]
            + fonts.families.map { "  \($0)" }
        return lines.joined(separator: "\n")
    }
}
