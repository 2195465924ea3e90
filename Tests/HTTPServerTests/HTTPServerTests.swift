import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct HTTPServerTests {
    private func withServer(
        _ limits: HTTPServer.Limits = HTTPServer.Limits(), _ body: (HTTPServer) async throws -> Void
    ) async throws {
        let server = try HTTPServer(at: ListenAddress(port: 0), limits: limits) { request in
            switch request.path {
            case "/": HTTPResponse("hello \(request.query.sorted { $0.key < $1.key })\n")
            case "/ü": HTTPResponse(.serviceUnavailable, "not now\n")
            default: HTTPResponse(.notFound, "nothing\n")
            }
        }
        try await body(server)
        await server.stop()
    }

    private func get(_ server: HTTPServer, _ target: String, method: String = "GET") async throws -> String {
        try await RawClient.exchange(
            server.address.port, "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    }

    @Test func pathsAndArgumentsArePassedOn() async throws {
        try await withServer { server in
            let answer = try await get(server, "/?day=2024-03-12&tv&name=a%20b")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(
                answer.hasSuffix(
                    "\r\n\r\nhello [(key: \"day\", value: \"2024-03-12\"), (key: \"name\", value: \"a b\"), (key: \"tv\", value: \"\")]\n"
                ))
            #expect(try await get(server, "/%C3%BC").hasPrefix("HTTP/1.1 503 "))
            #expect(try await get(server, "/other").hasPrefix("HTTP/1.1 404 "))
            #expect(try await get(server, "/%FF").hasPrefix("HTTP/1.1 404 "))
        }
    }

    @Test func everyResponseForbidsContentOfOtherHosts() async throws {
        try await withServer { server in
            for target in ["/", "/other"] {
                let answer = try await get(server, target)
                #expect(answer.contains("Content-Security-Policy: default-src 'none'; script-src 'self'"))
                #expect(answer.contains("X-Content-Type-Options: nosniff\r\n"))
                #expect(answer.contains("Cache-Control: no-store\r\n"))
                #expect(answer.contains("Content-Type: text/plain; charset=utf-8\r\n"))
            }
        }
    }

    @Test func headHasNoBody() async throws {
        try await withServer { server in
            let answer = try await get(server, "/", method: "HEAD")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\n"))
            #expect(answer.contains("Content-Length: 9\r\n"))
        }
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
    func otherMethodsAreRefused(method: String) async throws {
        try await withServer { server in
            let answer = try await RawClient.exchange(
                server.address.port,
                "\(method) / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabcde")
            #expect(answer.hasPrefix("HTTP/1.1 405 "))
            #expect(answer.contains("Allow: GET, HEAD\r\n"))
            // It continues to serve.
            #expect(try await get(server, "/").hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "x", count: 100_000))\r\n\r\n",
        "GET /\(String(repeating: "x", count: 100_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", "GET\r\n\r\n",
    ])
    func badRequestsEndOnlyTheirConnection(request: String) async throws {
        try await withServer { server in
            let answer = try await RawClient.exchange(server.address.port, request)
            #expect(!answer.contains(" 200 OK"))
            #expect(try await get(server, "/").hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func aSilentConnectionIsEnded() async throws {
        var limits = HTTPServer.Limits()
        limits.idleSeconds = 1
        try await withServer(limits) { server in
            let began = ContinuousClock.now
            _ = try await RawClient.exchange(server.address.port, "GET / HT")
            #expect(.now - began < .seconds(10))
        }
    }

    @Test func aTakenPortIsAnErrorThatNamesIt() async throws {
        try await withServer { server in
            let error = #expect(throws: HTTPServer.StartError.self) {
                _ = try HTTPServer(at: server.address) { _ in HTTPResponse("") }
            }
            #expect(error?.description == "cannot listen at \(server.address): Address already in use")
        }
        let unknown = #expect(throws: HTTPServer.StartError.self) {
            _ = try HTTPServer(at: ListenAddress(host: "no-such-host.invalid", port: 0)) { _ in HTTPResponse("") }
        }
        #expect(unknown?.description.hasPrefix("cannot listen at no-such-host.invalid:0: ") == true)
    }

    @Test func nothingListensAfterTheServerHasStopped() async throws {
        let server = try HTTPServer(at: ListenAddress(port: 0)) { _ in HTTPResponse("") }
        await server.stop()
        await #expect(throws: RawClient.Failed.self) { try await get(server, "/") }
        // The port is free at once.
        let again = try HTTPServer(at: server.address) { _ in HTTPResponse("again") }
        #expect(try await get(again, "/").hasSuffix("again"))
        await again.stop()
    }
}

@Suite(.timeLimit(.minutes(1)))
struct EventStreamTests {
    private static let request = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"

    /// The events in a chunked response.
    private func events(_ answer: String) -> [String] {
        answer.components(separatedBy: "\r\n").filter { $0.hasPrefix("data: ") || $0.hasPrefix("event: ") }
            .map { $0.trimmingCharacters(in: .newlines) }
    }

    private func served(_ stream: EventStream, limits: HTTPServer.Limits = HTTPServer.Limits()) throws -> HTTPServer {
        try HTTPServer(at: ListenAddress(port: 0), limits: limits) { _ in HTTPResponse(stream) }
    }

    private func until(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(2)) }
    }

    @Test func aClientGetsTheLastPictureAndThenEachNewOne() async throws {
        let stream = EventStream()
        let server = try served(stream)
        stream.show("1")
        stream.show("2")
        async let answer = RawClient.exchange(server.address.port, Self.request)
        try await until { stream.waitingCount == 1 }
        async let late = RawClient.exchange(server.address.port, Self.request)
        // A client that hasn't received an event yet gets only the newest one.
        for number in 3...5 {
            try await until { stream.waitingCount == 2 }
            stream.show("\(number)")
        }
        try await until { stream.waitingCount == 2 }
        stream.sendBeat()
        try await until { stream.waitingCount == 2 }
        stream.end()
        for answer in try await [answer, late] {
            #expect(answer.contains("Content-Type: text/event-stream; charset=utf-8\r\n"))
            #expect(
                events(answer)
                    == ["data: 2", "data: 3", "data: 4", "data: 5", "event: beat\ndata: {}"])
        }
        try await until { stream.clientCount == 0 }
        await server.stop()
    }

    @Test func hundredsOfClientsGetTheSameAndAreReleased() async throws {
        let stream = EventStream()
        let server = try served(stream)
        let answers = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<200 { group.addTask { try await RawClient.exchange(server.address.port, Self.request) } }
            try await until { stream.waitingCount == 200 }
            stream.show(String(repeating: "x", count: 50_000))
            stream.end()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.utf8.count { $0 == UInt8(ascii: "x") } >= 50_000 })
        try await until { stream.clientCount == 0 }
        await server.stop()
    }

    @Test func aBeatDetectsAClientThatHasGone() async throws {
        let stream = EventStream()
        let server = try served(stream)
        stream.show("1")
        // It leaves after the first bytes.
        _ = try await RawClient.exchange(server.address.port, Self.request, enough: 10)
        while stream.clientCount > 0 {
            stream.sendBeat()
            try await Task.sleep(for: .milliseconds(5))
        }
        stream.end()
        await server.stop()
    }

    @Test func aServerCanStopWhileClientsWait() async throws {
        let stream = EventStream()
        let server = try served(stream)
        async let answer = RawClient.exchange(server.address.port, Self.request)
        try await until { stream.waitingCount == 1 }
        await server.stop()
        _ = try await answer
        #expect(stream.clientCount == 0)
    }

    @Test func aClientAfterTheEndGetsTheLastPicture() async throws {
        let stream = EventStream()
        let server = try served(stream)
        stream.show("1")
        stream.end()
        #expect(events(try await RawClient.exchange(server.address.port, Self.request)) == ["data: 1"])
        await server.stop()
    }
}

@Suite struct ListenAddressTests {
    @Test(arguments: [
        ("8080", "127.0.0.1:8080"), ("0.0.0.0:80", "0.0.0.0:80"),
        ("plant-3.example:0", "plant-3.example:0"), ("[::1]:8080", "[::1]:8080"), ("[::]:65535", "[::]:65535"),
    ])
    func addressesAreRead(text: String, shown: String) {
        #expect(ListenAddress(parsing: text)?.description == shown)
    }

    @Test(arguments: [
        "", ":", ":8080", "65536", "-1", "host", "host:", "host:x", "::1:80", "[::1]", "[host]:80", "a b:80", "a/b:80",
    ])
    func otherTextIsRefused(text: String) {
        #expect(ListenAddress(parsing: text) == nil)
    }
}
