import Concurrency
import Foundation
import Synchronization
import Testing

@testable import KafkaWire

@Suite("OAUTHBEARER")
struct OAuthBearerTests {
    private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    @Test("the first message is that of RFC 7628, with extensions")
    func firstMessage() throws {
        var exchange = OAuthBearerExchange(
            token: OAuthToken("abc.DEF-1~/+=", lifetime: .seconds(60), extensions: ["b": "2 3", "a": "1"]))
        #expect(text(try exchange.begin()) == "n,,\u{1}auth=Bearer abc.DEF-1~/+=\u{1}a=1\u{1}b=2 3\u{1}\u{1}")
    }

    @Test(
        "a token or extension that could end its field is an error that doesn't show it",
        arguments: [
            OAuthToken("", lifetime: .zero), OAuthToken("hunter2\u{1}x=y", lifetime: .zero),
            OAuthToken("hunter2 ", lifetime: .zero), OAuthToken("ok", lifetime: .zero, extensions: ["auth": "hunter2"]),
            OAuthToken("ok", lifetime: .zero, extensions: ["a1": "hunter2"]),
            OAuthToken("ok", lifetime: .zero, extensions: ["a": "hunter2\u{1}"]),
        ])
    func injection(token: OAuthToken) {
        var exchange = OAuthBearerExchange(token: token)
        let error = #expect(throws: KafkaError.self) { try exchange.begin() }
        #expect(error?.code == .invalidConfig)
        #expect(error?.message.contains("hunter2") == false)
    }

    @Test("A refusal is answered with one byte, and its reason is kept without the token")
    func refusal() async throws {
        var exchange = OAuthBearerExchange(token: OAuthToken("hunter2", lifetime: .seconds(60)))
        _ = try exchange.begin()
        #expect(try await exchange.respond(to: Array(#"{"status":"invalid hunter2"}"#.utf8)) == [1])
        #expect(exchange.reason == #"{"status":"invalid [hidden]"}"#)
        var accepted = OAuthBearerExchange(token: OAuthToken("hunter2", lifetime: .seconds(60)))
        _ = try accepted.begin()
        #expect(try await accepted.respond(to: []) == nil)
    }

    @Test("All connections share a token until four fifths of its lifetime are over, or it is refused")
    func sharing() async throws {
        let calls = Atomic(0)
        let source = OAuthTokenSource {
            let call = calls.add(1, ordering: .relaxed).newValue
            return OAuthToken(Secret("t\(call)"), lifetime: .seconds(100))
        }
        let start = ContinuousClock.now
        #expect(try await source.token(start).value.value == "t1")
        #expect(try await source.token(start + .seconds(79)).value.value == "t1")
        #expect(try await source.token(start + .seconds(80)).value.value == "t2")
        await source.discard()
        #expect(try await source.token(start + .seconds(81)).value.value == "t3")
    }

    @Test("A token is used until it expires if there is no other")
    func trouble() async throws {
        struct NoToken: Error {}
        let calls = Atomic(0)
        let source = OAuthTokenSource {
            guard calls.add(1, ordering: .relaxed).newValue == 1 else { throw NoToken() }
            return OAuthToken("t", lifetime: .seconds(100))
        }
        let start = ContinuousClock.now
        for second in [0, 79, 81, 99] {
            #expect(try await source.token(start + .seconds(second)).value.value == "t")
        }
        #expect(calls.load(ordering: .relaxed) == 3)
        await #expect(throws: NoToken.self) { _ = try await source.token(start + .seconds(100)) }
    }

    @Test("If the application provides no token, the attempt times out and the next one asks again")
    func silence() async throws {
        let calls = Atomic(0)
        let never = Promise<Void>()
        let source = OAuthTokenSource {
            if calls.add(1, ordering: .relaxed).newValue != 2 { await never.value() }
            return OAuthToken("t", lifetime: .seconds(100))
        }
        let impatient = Timing(timeout: { _ in })
        let start = ContinuousClock.now
        let error = await #expect(throws: KafkaError.self) {
            _ = try await source.token(start, within: .seconds(30), impatient)
        }
        #expect(error?.code == .requestTimedOut && error?.isRetriable == true)
        #expect(try await source.token(start).value.value == "t")
        // An earlier token serves to its end.
        #expect(try await source.token(start + .seconds(90), within: .seconds(30), impatient).value.value == "t")
        #expect(calls.load(ordering: .relaxed) == 3)
        never.fulfil(())
    }

    @Test("An error of the application reaches the caller, and the next call asks again")
    func failure() async throws {
        struct NoToken: Error {}
        let calls = Atomic(0)
        let source = OAuthTokenSource {
            guard calls.add(1, ordering: .relaxed).newValue > 1 else { throw NoToken() }
            return OAuthToken("t", lifetime: .seconds(100))
        }
        await #expect(throws: NoToken.self) { _ = try await source.token(.now) }
        #expect(try await source.token(.now).value.value == "t")
    }

    @Test("An unsigned token contains the claims, and ends with a period")
    func unsigned() throws {
        let options = ["unsecuredLoginStringClaim_sub": "alice", "unsecuredLoginLifetimeSeconds": "60"]
        let token = try UnsecuredToken(options).token(Date(timeIntervalSince1970: 1000))
        // {"alg":"none"} and {"exp":1060,"iat":1000,"sub":"alice"}
        #expect(token.value.value == "eyJhbGciOiJub25lIn0.eyJleHAiOjEwNjAsImlhdCI6MTAwMCwic3ViIjoiYWxpY2UifQ.")
        #expect(token.lifetime == .seconds(60))
        #expect(throws: KafkaError.self) {
            try UnsecuredToken(options.merging(["unsecuredLoginLifetimeSeconds": "-1"]) { $1 })
        }
    }
}
