import Crypto
import Foundation
import JobQueue

/// The description of the API as a page: plain HTML, made here, without a script.
enum OpenAPIPage {
    static func make(of routes: [Route], _ settings: ServerSettings) -> String {
        var html = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Kiln: HTTP API</title>
            <style>\(style)</style>
            </head>
            <body>
            <header><h1>Kiln</h1><p>HTTP API, version \(escaped(settings.version)). For programs: \
            <a href="openapi.json">openapi.json</a></p></header>
            <main>

            """
        var groups: [String] = []
        for route in routes where !groups.contains(route.group) { groups.append(route.group) }
        for group in groups {
            html += "<h2>\(escaped(group))</h2>\n"
            for route in routes where route.group == group { html += section(route) }
        }
        if !settings.kinds.isEmpty {
            html += "<h2>Payloads</h2>\n"
            for kind in settings.kinds {
                html += "<details><summary><code>\(escaped(kind.name))</code> \(escaped(kind.summary))</summary>\n"
                if let schema = kind.schema { html += "<pre>\(escaped(pretty(schema)))</pre>\n" }
                html += "</details>\n"
            }
        }
        html += "<h2>Shapes</h2>\n"
        for (name, schema) in Schemas.components.sorted(by: { $0.key < $1.key }) {
            html +=
                "<details id=\"\(name)\"><summary><code>\(name)</code></summary><pre>\(escaped(pretty(schema)))</pre></details>\n"
        }
        return html + "</main>\n</body>\n</html>\n"
    }

    /// What the page may load: its own style, and nothing else.
    static var policy: String {
        let hash = Data(SHA256.hash(data: Data(style.utf8))).base64EncodedString()
        return "default-src 'none'; style-src 'sha256-\(hash)'; base-uri 'none'; frame-ancestors 'none'"
    }

    private static func section(_ route: Route) -> String {
        var html = """
            <details id="\(route.name)"><summary><b class="\(route.method.rawValue.lowercased())">\
            \(route.method.rawValue)</b> <code>\(escaped(route.path))</code> \(escaped(route.summary))</summary>

            """
        if !route.details.isEmpty { html += "<p>\(escaped(route.details))</p>\n" }
        let scopes = route.scopes.map(\.rawValue).sorted().joined(separator: " or ")
        let anybody = route.signature == nil ? "No token is needed." : "Signed. No token is needed."
        html += "<p>\(scopes.isEmpty ? anybody : "Scope: \(scopes), or admin.")</p>\n"
        if !route.parameters.isEmpty {
            html += "<table>\n"
            for parameter in route.parameters {
                html += """
                    <tr><td><code>\(escaped(parameter.name))</code></td><td>\(parameter.place.rawValue)</td>\
                    <td>\(escaped(parameter.summary))</td></tr>

                    """
            }
            html += "</table>\n"
        }
        if route.isIdempotentByKey { html += "<p>Takes an <code>Idempotency-Key</code>.</p>\n" }
        if let body = route.body {
            html += "<h3>Body</h3><pre>\(escaped(pretty(body.schema)))</pre>\n"
            if let example = body.example { html += "<h3>Example</h3><pre>\(escaped(pretty(example)))</pre>\n" }
        }
        for reply in route.replies {
            html += "<h3>\(reply.status)</h3><p>\(escaped(reply.summary))</p>\n"
            if let schema = reply.schema { html += "<pre>\(escaped(pretty(schema)))</pre>\n" }
        }
        return html + "</details>\n"
    }

    private static func pretty(_ value: JSONValue) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    private static let style = """
        body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color:#1b1b1f;background:#fff}
        h1{margin-bottom:0}h2{margin-top:2rem;border-bottom:1px solid #ccd}h3{font-size:1rem;margin:.5rem 0 0}
        details{margin:.25rem 0;border:1px solid #dde;border-radius:6px;padding:.4rem .7rem}summary{cursor:pointer}
        pre{background:#f4f4f8;padding:.7rem;overflow:auto;border-radius:6px;font-size:.85rem}
        td{padding:.1rem .8rem .1rem 0;vertical-align:top}b{display:inline-block;min-width:4rem}
        .get{color:#0b6b3a}.post{color:#8a4b00}.put{color:#1f4fa3}.delete{color:#a31f1f}
        @media(prefers-color-scheme:dark){body{background:#16161a;color:#e6e6ea}pre{background:#222228}a{color:#9cf}
        details,h2{border-color:#334}.get{color:#6fd39b}.post{color:#f0b060}.put{color:#8fb4f5}.delete{color:#f09090}}
        """
}
