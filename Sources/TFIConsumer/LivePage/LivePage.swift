import CommandLineSupport
import HTTPServer

/// Serves the live page's files and its event stream.
struct LivePage: Sendable {
    let feed: PlantFeed
    private let page: [UInt8]

    /// - Parameter version: The program's version. A page from another version reloads itself.
    init(_ feed: PlantFeed, version: String) {
        self.feed = feed
        page = Array(
            String(decoding: PackageResources.page_html, as: UTF8.self).replacing("{{version}}", with: version).utf8)
    }

    /// - Returns: Nil if the path is not the page's.
    func answer(_ request: HTTPRequest) -> HTTPResponse? {
        switch request.path {
        case "/": HTTPResponse(type: "text/html; charset=utf-8", body: page)
        case "/page.css": HTTPResponse(type: "text/css; charset=utf-8", body: PackageResources.page_css)
        case "/page.js": HTTPResponse(type: "text/javascript; charset=utf-8", body: PackageResources.page_js)
        case "/events":
            feed.stream(for: request.query["day"]).map { HTTPResponse($0) }
                ?? HTTPResponse(
                    .notFound,
                    "day must be a date such as 2026-03-09; or too many days are shown at a time\n")
        default: nil
        }
    }
}
