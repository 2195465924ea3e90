import Testing

@testable import KafkaWire

/// While a client authenticates again a broker accepts nothing else (KIP-368).
@Suite("Requests around an authentication")
struct AuthenticationOrderTests {
    private let start = ContinuousClock.now

    private func openMachine() -> ConnectionStateMachine {
        var machine = ConnectionStateMachine(broker: "b:1", connectDeadline: start + .seconds(10), maximumFrame: 1000)
        machine.connected()
        return machine
    }

    private func submit(_ machine: inout ConnectionStateMachine, _ id: Int32, seconds: Int = 30) {
        machine.submit(id, .ofTenBytes, deadline: start + .seconds(seconds), expectsResponse: true)
    }

    private func authenticate(_ machine: inout ConnectionStateMachine, _ id: Int32) {
        machine.authenticate(id, .ofTenBytes, start, timeout: .seconds(5))
    }

    // `#expect` would copy the machine.
    private func expectWriting(_ machine: borrowing ConnectionStateMachine, _ expected: Bool) {
        let wantsToWrite = machine.wantsToWrite
        #expect(wantsToWrite == expected)
    }

    private func expectAnswers(_ machine: inout ConnectionStateMachine, _ ids: Int32...) {
        for id in ids {
            let actions = machine.received(correlationID: id)
            #expect(actions == [.answer(id)])
        }
    }

    @Test("an authentication goes before requests that have not begun, and those wait until it ends")
    func order() {
        var machine = openMachine()
        submit(&machine, 1)
        submit(&machine, 2)
        submit(&machine, 3)
        _ = machine.wrote(10)
        _ = machine.wrote(4)
        authenticate(&machine, 4)
        // The rest of 2, which has begun; then the authentication.
        _ = machine.wrote(6)
        expectWriting(machine, true)
        _ = machine.wrote(10)
        expectWriting(machine, false)
        submit(&machine, 5)
        expectWriting(machine, false)
        expectAnswers(&machine, 1, 2, 4)
        // A mechanism may have several steps.
        authenticate(&machine, 6)
        expectWriting(machine, true)
        _ = machine.wrote(10)
        expectWriting(machine, false)
        expectAnswers(&machine, 6)
        machine.resume()
        expectWriting(machine, true)
        _ = machine.wrote(10)
        _ = machine.wrote(10)
        expectAnswers(&machine, 3, 5)
        let pending = machine.pendingCount
        #expect(pending == 0)
    }

    @Test("its timeout is counted from the deadlines of the responses before it")
    func deadline() {
        var machine = openMachine()
        submit(&machine, 1, seconds: 300)
        _ = machine.wrote(10)
        authenticate(&machine, 2)
        _ = machine.wrote(10)
        let early = machine.tick(start + .seconds(299))
        #expect(early.isEmpty)
        expectAnswers(&machine, 1)
        let next = machine.nextDeadline
        #expect(next == start + .seconds(305))
        let late = machine.tick(start + .seconds(305))
        #expect(late.first == .fail(2, KafkaError(.requestTimedOut, "b:1 did not respond in time")))
        let isClosed = machine.isClosed
        #expect(isClosed)
    }

    @Test("if it fails, the requests that wait for it fail for the same reason")
    func failure() {
        var machine = openMachine()
        submit(&machine, 1)
        authenticate(&machine, 2)
        _ = machine.wrote(10)
        expectAnswers(&machine, 2)
        let reason = KafkaError(.saslAuthenticationFailed, "no")
        let actions = machine.fail(reason)
        #expect(actions == [.fail(1, reason), .closeSocket(reason)])
        machine.authenticate(3, .ofTenBytes, start, timeout: .seconds(5))
        let pending = machine.pendingCount
        #expect(pending == 0)
    }

    @Test("a request that is cancelled while it waits is never sent")
    func abandoned() {
        var machine = openMachine()
        authenticate(&machine, 1)
        submit(&machine, 2)
        submit(&machine, 3)
        _ = machine.wrote(10)
        machine.abandon(2)
        expectAnswers(&machine, 1)
        machine.resume()
        _ = machine.wrote(10)
        expectAnswers(&machine, 3)
    }

    @Test("an authentication before the connection is open waits for it")
    func beforeOpen() {
        var machine = ConnectionStateMachine(broker: "b:1", connectDeadline: start + .seconds(10), maximumFrame: 1000)
        authenticate(&machine, 1)
        expectWriting(machine, false)
        machine.connected()
        expectWriting(machine, true)
    }
}
