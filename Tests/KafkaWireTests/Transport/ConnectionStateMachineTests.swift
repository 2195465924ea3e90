import Testing

@testable import KafkaWire

@Suite("Connection state machine")
struct ConnectionStateMachineTests {
    private static let start = ContinuousClock.now
    private static let reason = KafkaError(.networkException, "over")

    private static func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    /// The machine as an object, since `#expect` copies what it looks at.
    private final class Machine {
        typealias Action = ConnectionStateMachine.Action

        private var machine = ConnectionStateMachine(
            broker: "b:1", connectDeadline: ConnectionStateMachineTests.at(10), maximumFrame: 1000)

        var isClosed: Bool { machine.isClosed }
        var isIdle: Bool { machine.isIdle }
        var pendingCount: Int { machine.pendingCount }
        var wantsToWrite: Bool { machine.wantsToWrite }
        var nextDeadline: ContinuousClock.Instant? { machine.nextDeadline }

        /// A request of ten bytes.
        func submit(_ id: Int32, seconds: Int = 30, expects: Bool = true) -> [Action] {
            machine.submit(
                id, byteCount: 10, deadline: ConnectionStateMachineTests.at(seconds), expectsResponse: expects)
        }

        func connected() { machine.connected() }
        func wrote(_ count: Int) -> [Action] { machine.wrote(count) }
        func announced(frameOf length: Int32) -> [Action] { machine.announced(frameOf: length) }
        func received(correlationID: Int32) -> [Action] { machine.received(correlationID: correlationID) }
        func tick(_ now: ContinuousClock.Instant) -> [Action] { machine.tick(now) }
        func fail(_ reason: KafkaError) -> [Action] { machine.fail(reason) }
        func abandon(_ id: Int32, frameIsUntouched: Bool) { machine.abandon(id, frameIsUntouched: frameIsUntouched) }
    }

    private func open() -> Machine {
        let machine = Machine()
        machine.connected()
        return machine
    }

    private func submit(_ machine: Machine, _ id: Int32, seconds: Int = 30, expects: Bool = true) {
        #expect(machine.submit(id, seconds: seconds, expects: expects).isEmpty)
    }

    private func failure(_ actions: [ConnectionStateMachine.Action]) -> KafkaError? {
        if case .closeSocket(let error) = actions.last { error } else { nil }
    }

    // MARK: The ordinary way

    @Test("answers go to the requests in their order")
    func order() {
        let machine = open()
        for id in Int32(0)..<3 { submit(machine, id) }
        #expect(machine.wantsToWrite)
        for _ in 0..<3 { #expect(machine.wrote(10).isEmpty) }
        #expect(!machine.wantsToWrite)
        for id in Int32(0)..<3 { #expect(machine.received(correlationID: id) == [.answer(id)]) }
        #expect(machine.pendingCount == 0)
        #expect(machine.nextDeadline == nil)
    }

    @Test("requests wait until the connection is there")
    func connecting() {
        let machine = Machine()
        submit(machine, 7)
        #expect(!machine.wantsToWrite)
        machine.connected()
        #expect(machine.wantsToWrite)
    }

    @Test("a request that is written in parts is written when its last byte is")
    func partialWrites() {
        let machine = open()
        submit(machine, 0, expects: false)
        submit(machine, 1)
        #expect(machine.wrote(4).isEmpty)
        #expect(machine.wrote(6) == [.written(0)])
        #expect(machine.wantsToWrite)
        #expect(machine.wrote(10).isEmpty)
        #expect(machine.received(correlationID: 1) == [.answer(1)])
    }

    @Test("a request without an answer doesn't take another's place")
    func withoutAnswer() {
        let machine = open()
        submit(machine, 0)
        submit(machine, 1, expects: false)
        submit(machine, 2)
        #expect(machine.wrote(10).isEmpty)
        #expect(machine.wrote(10) == [.written(1)])
        #expect(machine.wrote(10).isEmpty)
        #expect(machine.received(correlationID: 0) == [.answer(0)])
        #expect(machine.received(correlationID: 2) == [.answer(2)])
    }

    // MARK: Callers that give up

    @Test("what nobody wants and hasn't begun to be written isn't sent")
    func abandonUntouched() {
        let machine = open()
        submit(machine, 0)
        submit(machine, 1)
        machine.abandon(0, frameIsUntouched: true)
        #expect(machine.pendingCount == 1)
        #expect(machine.wrote(10).isEmpty)
        #expect(machine.received(correlationID: 1) == [.answer(1)])
    }

    @Test("an answer that nobody wants any more is thrown away, and the others come", arguments: [4, 10])
    func abandonAfterWriting(written: Int) {
        let machine = open()
        submit(machine, 0)
        submit(machine, 1)
        #expect(machine.wrote(written).isEmpty)
        machine.abandon(0, frameIsUntouched: false)
        #expect(machine.pendingCount == 2)
        #expect(!machine.isIdle)
        if written < 10 { #expect(machine.wrote(10 - written).isEmpty) }
        #expect(machine.wrote(10).isEmpty)
        #expect(machine.received(correlationID: 0).isEmpty)
        #expect(machine.received(correlationID: 1) == [.answer(1)])
        #expect(machine.isIdle)
    }

    @Test("giving up what is answered already changes nothing")
    func abandonTooLate() {
        let machine = open()
        submit(machine, 0)
        _ = machine.wrote(10)
        #expect(machine.received(correlationID: 0) == [.answer(0)])
        machine.abandon(0, frameIsUntouched: false)
        #expect(machine.pendingCount == 0)
    }

    @Test("an abandoned request without an answer is told to nobody")
    func abandonWithoutAnswer() {
        let machine = open()
        submit(machine, 0, expects: false)
        #expect(machine.wrote(1).isEmpty)
        machine.abandon(0, frameIsUntouched: false)
        #expect(machine.wrote(9).isEmpty)
        #expect(machine.pendingCount == 0)
    }

    // MARK: Deadlines

    @Test("the earliest deadline counts, wherever it stands")
    func earliestDeadline() {
        let machine = open()
        submit(machine, 0, seconds: 30)
        submit(machine, 1, seconds: 5)
        #expect(machine.nextDeadline == Self.at(5))
        #expect(machine.tick(Self.at(4)).isEmpty)
        let actions = machine.tick(Self.at(5))
        #expect(failure(actions)?.code == .requestTimedOut)
        #expect(actions.count == 3)
        #expect(machine.isClosed)
    }

    @Test("connecting has a deadline of its own, and a request's may come before")
    func connectDeadline() {
        let machine = Machine()
        #expect(machine.nextDeadline == Self.at(10))
        submit(machine, 0, seconds: 3)
        #expect(machine.nextDeadline == Self.at(3))
        #expect(failure(machine.tick(Self.at(3)))?.code == .requestTimedOut)

        let slow = Machine()
        #expect(slow.tick(Self.at(9)).isEmpty)
        #expect(failure(slow.tick(Self.at(10)))?.code == .networkException)
        #expect(slow.nextDeadline == nil)
    }

    @Test("an abandoned request's deadline ends the connection too")
    func abandonedDeadline() {
        let machine = open()
        submit(machine, 0, seconds: 5)
        _ = machine.wrote(10)
        machine.abandon(0, frameIsUntouched: false)
        let actions = machine.tick(Self.at(5))
        #expect(actions.count == 1)
        #expect(failure(actions)?.code == .requestTimedOut)
    }

    // MARK: Brokers that misbehave

    @Test("an answer to another request ends the connection, with all requests")
    func wrongCorrelationID() {
        let machine = open()
        submit(machine, 0)
        submit(machine, 1)
        _ = machine.wrote(10)
        _ = machine.wrote(10)
        let actions = machine.received(correlationID: 1)
        let error = failure(actions)
        #expect(error?.code == .networkException)
        #expect(error?.message.contains("request 1") == true)
        #expect(actions.dropLast().allSatisfy { if case .fail = $0 { true } else { false } })
        #expect(actions.count == 3)
    }

    @Test("an answer before its request was written, or without one, ends the connection", arguments: [true, false])
    func unasked(isSubmitted: Bool) {
        let machine = open()
        if isSubmitted { submit(machine, 0) }
        #expect(failure(machine.received(correlationID: 0))?.message.contains("nobody asked") == true)
    }

    @Test(
        "an invalid length is explained",
        arguments: [
            (Int32(3), "not a valid length"), (Int32(-1), "not a valid length"), (Int32.min, "not a valid length"),
            (Int32(0), "not a valid length"),
            (Int32(1001), "receive.message.max.bytes"), (Int32(0x4854_5450), "HTTP"),
            (Int32(0x1503_0302), "TLS"), (Int32(0x1503_0100), "TLS"),
        ])
    func badLength(length: Int32, hint: String) {
        let machine = open()
        submit(machine, 0)
        let error = failure(machine.announced(frameOf: length))
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "no error")")
        #expect(machine.isClosed)
    }

    @Test(
        "the request whose response was cut off, or is too long, is told its length, and no other is",
        arguments: [
            Int32(1000), 1001,
        ])
    func lostResponse(length: Int32) {
        let machine = open()
        for id in Int32(0)..<3 { submit(machine, id) }
        _ = machine.wrote(30)
        #expect(machine.announced(frameOf: 100).isEmpty)
        _ = machine.received(correlationID: 0)
        let actions = machine.announced(frameOf: length) + machine.fail(Self.reason)
        var lengths: [Int32: Int?] = [:]
        for case .fail(let id, let error) in actions { lengths[id] = error.responseLength }
        #expect(lengths == [1: Int(length), 2: nil])
    }

    @Test("every length from a correlation id to the limit is fine", arguments: [Int32(4), 5, 1000])
    func goodLength(length: Int32) {
        let machine = open()
        #expect(machine.announced(frameOf: length).isEmpty)
    }

    // MARK: The end

    @Test("a failure fails every request but those given up, and closes the socket last")
    func fail() {
        let machine = open()
        for id in Int32(0)..<3 { submit(machine, id) }
        _ = machine.wrote(10)
        machine.abandon(0, frameIsUntouched: false)
        #expect(
            machine.fail(Self.reason)
                == [.fail(1, Self.reason), .fail(2, Self.reason), .closeSocket(Self.reason)])
    }

    @Test("after the end nothing happens any more, and requests fail at once")
    func closed() {
        let machine = open()
        _ = machine.fail(Self.reason)
        let other = KafkaError(.requestTimedOut, "other")
        #expect(machine.fail(other).isEmpty)
        #expect(
            machine.submit(5) == [.fail(5, Self.reason)])
        #expect(machine.tick(Self.at(100)).isEmpty)
        machine.connected()
        machine.abandon(5, frameIsUntouched: true)
        #expect(machine.wrote(10).isEmpty)
        #expect(machine.isClosed)
        #expect(!machine.wantsToWrite)
        #expect(machine.nextDeadline == nil)
        #expect(machine.pendingCount == 0)
    }
}
