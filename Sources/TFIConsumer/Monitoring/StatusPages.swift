import HTTPServer

/// The pages that a run serves of itself.
struct StatusPages: Sendable {
    let monitor: RunMonitor
    /// The plant's; nil for other mappings.
    let livePage: LivePage?

    func answer(_ request: HTTPRequest) -> HTTPResponse {
        if let answer = livePage?.answer(request) { return answer }
        switch request.path {
        case "/healthz":
            if let illness = monitor.illness { return HTTPResponse(.serviceUnavailable, illness + "\n") }
            return HTTPResponse("the process works\n")
        case "/readyz":
            let hindrances = monitor.hindrances
            return hindrances.isEmpty
                ? HTTPResponse("ready\n")
                : HTTPResponse(.serviceUnavailable, hindrances.map { $0 + "\n" }.joined())
        case "/metrics": return HTTPResponse(type: PrometheusText.contentType, body: Array(monitor.figures.utf8))
        default: return HTTPResponse(.notFound, "there is no such page: see /healthz, /readyz and /metrics\n")
        }
    }
}
