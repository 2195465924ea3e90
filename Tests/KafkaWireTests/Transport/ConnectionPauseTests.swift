import Testing

@testable import KafkaWire

@Suite("Idle and muted connections")
struct ConnectionPauseTests {
    private static let start = ContinuousClock.now

    private static func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    /// The machine as an object, since `#expect` copies its operands.
    private final class Machine {
        private var machine: ConnectionStateMachine

        init(idle: Int? = nil) {
            machine = ConnectionStateMachine(
                broker: "b:1", connectDeadline: ConnectionPauseTests.at(10), maximumFrame: 1000,
                maximumIdle: idle.map { .seconds($0) })
        }

        var wantsToWrite: Bool { machine.wantsToWrite }
        /// In seconds.
        var nextDeadline: Int? {
            machine.nextDeadline.map { Int(($0 - ConnectionPauseTests.start) / .seconds(1)) }
        }

        func connected() { machine.connected() }
        func connectsAnew(until seconds: Int) { machine.connectsAnew(until: ConnectionPauseTests.at(seconds)) }

        /// A request of ten bytes.
        func submit(_ id: Int32, deadline: Int) {
            machine.submit(id, .ofTenBytes, deadline: ConnectionPauseTests.at(deadline), expectsResponse: true)
        }

        func wrote(_ count: Int) { _ = machine.wrote(count) }
        func received(_ id: Int32) { _ = machine.received(correlationID: id) }
        func tick(_ seconds: Int) -> [ConnectionStateMachine.Action] { machine.tick(ConnectionPauseTests.at(seconds)) }
        func mute(from: Int, until: Int) {
            machine.mute(from: ConnectionPauseTests.at(from), until: ConnectionPauseTests.at(until))
        }
    }

    private func hasFailed(_ actions: [ConnectionStateMachine.Action]) -> Bool {
        if case .closeSocket = actions.last { true } else { false }
    }

    // MARK: Idle

    @Test("a connection without requests is idle after the time, counted from its last response")
    func idle() {
        let machine = Machine(idle: 60)
        machine.connected()
        #expect(machine.tick(0).isEmpty)
        #expect(machine.nextDeadline == 60)
        machine.submit(0, deadline: 300)
        machine.wrote(10)
        #expect(machine.tick(100).isEmpty)
        #expect(machine.nextDeadline == 300)
        machine.received(0)
        #expect(machine.tick(110).isEmpty)
        #expect(machine.nextDeadline == 170)
        #expect(machine.tick(169).isEmpty)
        #expect(machine.tick(170) == [.idle])
    }

    @Test("a cancelled request keeps a connection from being idle, and so does an attempt to connect")
    func notIdle() {
        let machine = Machine(idle: 5)
        #expect(machine.tick(6).isEmpty)
        machine.connected()
        machine.submit(0, deadline: 100)
        #expect(machine.tick(50).isEmpty)
        let forever = Machine()
        forever.connected()
        #expect(forever.tick(0).isEmpty)
        #expect(forever.nextDeadline == nil)
        #expect(forever.tick(1_000_000).isEmpty)
    }

    // MARK: Muted

    @Test("while a connection is muted no request begins, and deadlines move by the length of the pause")
    func muted() {
        let machine = Machine()
        machine.connected()
        machine.submit(0, deadline: 30)
        machine.wrote(10)
        machine.mute(from: 10, until: 40)
        machine.submit(1, deadline: 35)
        #expect(!machine.wantsToWrite)
        // A request in flight keeps its deadline.
        #expect(machine.nextDeadline == 30)
        machine.received(0)
        #expect(machine.nextDeadline == 40)
        #expect(machine.tick(39).isEmpty)
        #expect(!machine.wantsToWrite)
        #expect(machine.tick(40).isEmpty)
        #expect(machine.wantsToWrite)
        #expect(machine.nextDeadline == 65)
        #expect(hasFailed(machine.tick(65)))
    }

    @Test("a request that has begun is written completely")
    func begun() {
        let machine = Machine()
        machine.connected()
        machine.submit(0, deadline: 30)
        machine.submit(1, deadline: 30)
        machine.wrote(3)
        machine.mute(from: 0, until: 20)
        #expect(machine.wantsToWrite)
        machine.wrote(7)
        #expect(!machine.wantsToWrite)
    }

    @Test("of two overlapping pauses the later end counts")
    func twoPauses() {
        let machine = Machine()
        machine.connected()
        machine.submit(0, deadline: 100)
        machine.mute(from: 0, until: 20)
        machine.mute(from: 5, until: 10)
        #expect(machine.nextDeadline == 20)
        machine.mute(from: 15, until: 50)
        #expect(machine.nextDeadline == 50)
        // A pause that is over already has no effect.
        machine.mute(from: 16, until: 16)
        #expect(machine.tick(49).isEmpty)
        #expect(!machine.wantsToWrite)
        #expect(machine.tick(50).isEmpty)
        #expect(machine.wantsToWrite)
    }

    // MARK: Connecting

    @Test("each address has the whole time")
    func addresses() {
        let machine = Machine()
        machine.connectsAnew(until: 20)
        #expect(machine.nextDeadline == 20)
        #expect(machine.tick(10).isEmpty)
        #expect(hasFailed(machine.tick(20)))
    }
}
