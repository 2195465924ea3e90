import CommandLineSupport
import HTTPServer

/// The live page's files, and the events that it shows.
struct LivePage: Sendable {
    let feed: PlantFeed
    private let page: [UInt8]

    /// - Parameter version: The program's, by which an open page notices that the program was upgraded.
    init(_ feed: PlantFeed, version: String) {
        self.feed = feed
        page = Array(
            String(decoding: PackageResources.page_html, as: UTF8.self).replacing("{{version}}", with: version).utf8)
    }

    /// - Returns: Nil for a path that isn't the page's.
    func answer(_ request: HTTPRequest) -> HTTPResponse? {
        switch request.path {
        case "/": HTTPResponse(type: "text/html; charset=utf-8", body: page)
        case "/page.css": HTTPResponse(type: "text/css; charset=utf-8", body: PackageResources.page_css)
        case "/page.js": HTTPResponse(type: "text/javascript; charset=utf-8", body: PackageResources.page_js)
        case "/events":
            feed.stream(for: request.query["day"]).map { HTTPResponse($0) }
                ?? HTTPResponse(.notFound, "day is a day such as 2026-03-09, and only some can be shown at a time\n")
        default: nil
        }
    }
}
