import JobQueue

/// What the API says of itself.
extension API {
    /// - Parameter others: all routes but these.
    func documentRoutes(of others: [Route]) -> [Route] {
        // Their own handlers need the list that they are in; its words suffice for that.
        let own = [
            documentRoute { _ in Answer.empty() },
            pageRoute { _ in Answer.empty() },
        ]
        let routes = others.filter(\.isDocumented) + own
        let document = OpenAPIDocument.make(of: routes, settings)
        let page = OpenAPIPage.make(of: routes, settings)
        return [
            documentRoute { _ in
                try Answer.json(document, headers: ["Cache-Control": "public, max-age=300"])
            },
            pageRoute { _ in
                Answer.bytes(
                    Array(page.utf8), type: "text/html; charset=utf-8",
                    headers: [
                        "Content-Security-Policy": OpenAPIPage.policy, "Cache-Control": "public, max-age=300",
                    ])
            },
        ]
    }

    private func documentRoute(_ handle: @escaping Route.Handler) -> Route {
        Route(
            method: .get, path: "/openapi.json", name: "openAPI", summary: "This API, as OpenAPI 3.1.",
            group: "About", scopes: [],
            replies: [.init(status: 200, summary: "The document.", schema: Schemas.anyObject)], handle: handle)
    }

    private func pageRoute(_ handle: @escaping Route.Handler) -> Route {
        Route(
            method: .get, path: "/docs", name: "docs", summary: "This API, as a page.", group: "About", scopes: [],
            replies: [.init(status: 200, summary: "The page.", schema: Schemas.text, type: "text/html")],
            handle: handle)
    }
}
