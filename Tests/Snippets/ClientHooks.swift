// What the doc comments of ClientHooks.swift use without declaring it.

private struct Histogram: Sendable {
    func record(_ duration: Duration) {}
}
private var histogram: Histogram { omitted() }
