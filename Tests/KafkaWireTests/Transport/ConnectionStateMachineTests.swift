import Testing

@testable import KafkaWire

@Suite("Connection state machine")
struct ConnectionStateMachineTests {
    private static let start = ContinuousClock.now
    private static let reason = KafkaError(.networkException, "over")

    private static func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    /// The machine as an object, since `#expect` copies its operands.
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
        func submit(_ id: Int32, seconds: Int = 30, expects: Bool = true) {
            machine.submit(
                id, .ofTenBytes, deadline: ConnectionStateMachineTests.at(seconds), expectsResponse: expects)
        }

        func connected() { machine.connected() }
        func wrote(_ count: Int) -> [Action] { machine.wrote(count) }
        func receivedFrameLength(_ length: Int32) -> [Action] { machine.receivedFrameLength(length) }
        func beginWrite() -> Int? { machine.beginWrite()?.written }
        func received(correlationID: Int32) -> [Action] { machine.received(correlationID: correlationID) }
        func tick(_ now: ContinuousClock.Instant) -> [Action] { machine.tick(now) }
        func fail(_ reason: KafkaError) -> [Action] { machine.fail(reason) }
        func abandon(_ id: Int32) { machine.abandon(id) }
    }

    private func open() -> Machine {
        let machine = Machine()
        machine.connected()
        return machine
    }

    private func submit(_ machine: Machine, _ id: Int32, seconds: Int = 30, expects: Bool = true) {
        machine.submit(id, seconds: seconds, expects: expects)
    }

    private func failure(_ actions: [ConnectionStateMachine.Action]) -> KafkaError? {
        if case .closeSocket(let error) = actions.last { error } else { nil }
    }

    // MARK: Requests and responses

    @Test("responses are matched with the requests in their order")
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

    @Test("requests wait until the connection is open")
    func connecting() {
        let machine = Machine()
        submit(machine, 7)
        #expect(!machine.wantsToWrite)
        machine.connected()
        #expect(machine.wantsToWrite)
    }

    @Test("a request that is written in parts is complete with its last byte")
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

    @Test("a request without a response does not take another's")
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

    // MARK: Cancellation

    @Test("a request that is being written counts as begun, though the socket has taken none of it")
    func abandonBegun() {
        let machine = open()
        submit(machine, 0)
        submit(machine, 1)
        #expect(machine.beginWrite() == 0)
        machine.abandon(0)
        #expect(machine.pendingCount == 2)
        #expect(machine.wrote(4).isEmpty)
        #expect(machine.beginWrite() == 4)
        #expect(machine.wrote(6).isEmpty)
        #expect(machine.beginWrite() == 0)
        #expect(machine.received(correlationID: 0).isEmpty)
    }

    @Test("a cancelled request that has not begun is not sent")
    func abandonUntouched() {
        let machine = open()
        submit(machine, 0)
        submit(machine, 1)
        machine.abandon(0)
        #expect(machine.pendingCount == 1)
        #expect(machine.wrote(10).isEmpty)
        #expect(machine.received(correlationID: 1) == [.answer(1)])
    }

    @Test("the response to a cancelled request is dropped, and the others are delivered", arguments: [4, 10])
    func abandonAfterWriting(written: Int) {
        let machine = open()
        submit(machine, 0)
        submit(machine, 1)
        #expect(machine.wrote(written).isEmpty)
        machine.abandon(0)
        #expect(machine.pendingCount == 2)
        #expect(!machine.isIdle)
        if written < 10 { #expect(machine.wrote(10 - written).isEmpty) }
        #expect(machine.wrote(10).isEmpty)
        #expect(machine.received(correlationID: 0).isEmpty)
        #expect(machine.received(correlationID: 1) == [.answer(1)])
        #expect(machine.isIdle)
    }

    @Test("cancelling a request that has its response changes nothing")
    func abandonTooLate() {
        let machine = open()
        submit(machine, 0)
        _ = machine.wrote(10)
        #expect(machine.received(correlationID: 0) == [.answer(0)])
        machine.abandon(0)
        #expect(machine.pendingCount == 0)
    }

    @Test("the end of a cancelled request without a response is not reported")
    func abandonWithoutAnswer() {
        let machine = open()
        submit(machine, 0, expects: false)
        #expect(machine.wrote(1).isEmpty)
        machine.abandon(0)
        #expect(machine.wrote(9).isEmpty)
        #expect(machine.pendingCount == 0)
    }

    // MARK: Deadlines

    @Test("the earliest deadline counts, whatever its place in the queue")
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

    @Test("connecting has a deadline of its own, and a request's may be earlier")
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

    @Test("the deadline of a cancelled request ends the connection too")
    func abandonedDeadline() {
        let machine = open()
        submit(machine, 0, seconds: 5)
        _ = machine.wrote(10)
        machine.abandon(0)
        let actions = machine.tick(Self.at(5))
        #expect(actions.count == 1)
        #expect(failure(actions)?.code == .requestTimedOut)
    }

    // MARK: Brokers that misbehave

    @Test("a response to another request ends the connection, with all requests")
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

    @Test("a response before its request was written, or without one, ends the connection", arguments: [true, false])
    func unexpected(isSubmitted: Bool) {
        let machine = open()
        if isSubmitted { submit(machine, 0) }
        #expect(failure(machine.received(correlationID: 0))?.message.contains("to no request") == true)
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
        let error = failure(machine.receivedFrameLength(length))
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "no error")")
        #expect(machine.isClosed)
    }

    @Test(
        "the error of the request whose response was cut off, or is too long, has its length; no other error has one",
        arguments: [
            Int32(1000), 1001,
        ])
    func lostResponse(length: Int32) {
        let machine = open()
        for id in Int32(0)..<3 { submit(machine, id) }
        _ = machine.wrote(30)
        #expect(machine.receivedFrameLength(100).isEmpty)
        _ = machine.received(correlationID: 0)
        let actions = machine.receivedFrameLength(length) + machine.fail(Self.reason)
        var lengths: [Int32: Int?] = [:]
        for case .fail(let id, let error) in actions { lengths[id] = error.responseLength }
        #expect(lengths == [1: Int(length), 2: nil])
    }

    @Test("every length from that of a correlation id to the limit is accepted", arguments: [Int32(4), 5, 1000])
    func goodLength(length: Int32) {
        let machine = open()
        #expect(machine.receivedFrameLength(length).isEmpty)
    }

    // MARK: The end

    @Test("a failure fails every request except cancelled ones, and closes the socket last")
    func fail() {
        let machine = open()
        for id in Int32(0)..<3 { submit(machine, id) }
        _ = machine.wrote(10)
        machine.abandon(0)
        #expect(
            machine.fail(Self.reason)
                == [.fail(1, Self.reason), .fail(2, Self.reason), .closeSocket(Self.reason)])
    }

    @Test("after the end nothing happens, and no request is accepted")
    func closed() {
        let machine = open()
        _ = machine.fail(Self.reason)
        let other = KafkaError(.requestTimedOut, "other")
        #expect(machine.fail(other).isEmpty)
        machine.submit(5)
        #expect(machine.tick(Self.at(100)).isEmpty)
        machine.connected()
        machine.abandon(5)
        #expect(machine.wrote(10).isEmpty)
        #expect(machine.isClosed)
        #expect(!machine.wantsToWrite)
        #expect(machine.nextDeadline == nil)
        #expect(machine.pendingCount == 0)
    }
}
