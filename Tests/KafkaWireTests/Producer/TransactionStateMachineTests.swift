import Testing

@testable import KafkaWire

@Suite("The rules of transactions")
struct TransactionStateMachineTests {
    private typealias Machine = TransactionStateMachine
    private static let first = ProducerIdentity(id: 7, epoch: 0)
    private static let second = ProducerIdentity(id: 7, epoch: 1)
    private static let abortable = KafkaError(.topicAuthorizationFailed, "no")
    private static let fatal = KafkaError(.producerFenced, "no")

    /// An event of the state machine.
    enum Step: String, CaseIterable, Sendable {
        case initialize, initialized, initFailed, begin, commit, abort, ended, endingFailed, offsets, offsetsSent
        case abortableError, fatalError
    }

    /// - Returns: False if the machine refuses the call.
    @discardableResult
    private func take(_ step: Step, _ machine: inout Machine, isVersion2: Bool = false) -> Bool {
        do throws(KafkaError) {
            switch step {
            case .initialize: try machine.beginInitializing()
            case .initialized: machine.initialized(as: Self.first)
            case .initFailed: machine.initialized(as: nil)
            case .begin: try machine.begin(isVersion2: isVersion2)
            case .commit: try machine.beginCommit()
            case .abort: try machine.beginAbort()
            case .ended: machine.ended(as: nil)
            case .endingFailed: machine.endingFailed()
            case .offsets: _ = try machine.beginOffsets(of: "g")
            case .offsetsSent: machine.endOffsets()
            case .abortableError: _ = machine.failed(Self.abortable, isFatal: false)
            case .fatalError: _ = machine.failed(Self.fatal, isFatal: true)
            }
            return true
        } catch {
            return false
        }
    }

    struct Path: Sendable {
        let steps: [Step]
        let state: TransactionStateMachine.State
        /// The calls that are allowed in this state.
        let calls: Set<Step>
    }

    private static let calls: Set<Step> = [.initialize, .begin, .commit, .abort, .offsets]
    private static let ready: [Step] = [.initialize, .initialized]

    @Test(
        "the state after each sequence of steps, and the calls that are allowed in it",
        arguments: [
            Path(steps: [], state: .uninitialized, calls: [.initialize]),
            Path(steps: [.initialize], state: .initializing, calls: []),
            Path(steps: [.initialize, .initFailed], state: .uninitialized, calls: [.initialize]),
            Path(steps: ready, state: .ready, calls: [.begin]),
            Path(steps: ready + [.begin], state: .inTransaction, calls: [.commit, .abort, .offsets]),
            Path(steps: ready + [.begin, .offsets], state: .inTransaction, calls: [.abort, .offsets]),
            Path(
                steps: ready + [.begin, .offsets, .offsetsSent], state: .inTransaction,
                calls: [.commit, .abort, .offsets]),
            Path(steps: ready + [.begin, .commit], state: .committing, calls: []),
            Path(steps: ready + [.begin, .commit, .endingFailed], state: .committing, calls: [.commit]),
            Path(steps: ready + [.begin, .commit, .ended], state: .ready, calls: [.begin]),
            Path(steps: ready + [.begin, .abort], state: .aborting, calls: []),
            Path(steps: ready + [.begin, .abort, .endingFailed], state: .aborting, calls: [.abort]),
            Path(steps: ready + [.begin, .abort, .ended], state: .ready, calls: [.begin]),
            Path(steps: ready + [.begin, .abort, .abortableError], state: .aborting, calls: []),
            Path(steps: ready + [.begin, .abortableError], state: .abortableError(abortable), calls: [.abort]),
            Path(
                steps: ready + [.begin, .commit, .abortableError], state: .abortableError(abortable), calls: [.abort]),
            Path(steps: ready + [.begin, .abortableError, .abort, .ended], state: .ready, calls: [.begin]),
            Path(steps: ready + [.abortableError], state: .ready, calls: [.begin]),
            Path(steps: [.initialize, .fatalError], state: .fatalError(fatal), calls: []),
            Path(steps: ready + [.begin, .abortableError, .fatalError], state: .fatalError(fatal), calls: []),
            Path(steps: ready + [.begin, .fatalError, .abortableError], state: .fatalError(fatal), calls: []),
            Path(steps: ready + [.begin, .abort, .fatalError, .ended], state: .fatalError(fatal), calls: []),
        ])
    func paths(path: Path) {
        for isVersion2 in [false, true] {
            var machine = Machine()
            for step in path.steps {
                let isAllowed = take(step, &machine, isVersion2: isVersion2)
                #expect(isAllowed, "\(step)")
            }
            #expect(machine.state == path.state)
            for call in Self.calls {
                var copy = machine
                #expect(take(call, &copy, isVersion2: isVersion2) == path.calls.contains(call), "\(call)")
            }
        }
    }

    @Test("a refused call gives the reason: an earlier error, or the call that must come first")
    func reasons() {
        var machine = Machine()
        let early = #expect(throws: KafkaError.self) { try machine.begin(isVersion2: true) }
        #expect(early?.code == .invalidTxnState && early?.message.contains("initTransactions()") == true)
        for step in Self.ready + [.begin, .abortableError] { take(step, &machine) }
        let spoiled = #expect(throws: KafkaError.self) { try machine.beginCommit() }
        #expect(spoiled == Self.abortable)
        take(.fatalError, &machine)
        let ended = #expect(throws: KafkaError.self) { try machine.beginAbort() }
        #expect(ended == Self.fatal)
    }

    @Test("a commit or abort that timed out must be repeated, and calls that are refused until then say so")
    func unfinishedEnd() {
        var machine = inTransaction(isVersion2: true)
        #expect(machine.canAbort && !machine.hasUnfinishedAbort)
        take(.abort, &machine)
        #expect(!machine.canAbort && !machine.hasUnfinishedAbort)
        take(.endingFailed, &machine)
        #expect(machine.canAbort && machine.hasUnfinishedAbort)
        let afterAbort = #expect(throws: KafkaError.self) { try machine.begin(isVersion2: true) }
        #expect(afterAbort?.code == .invalidTxnState)
        #expect(afterAbort?.message.contains("abortTransaction() again") == true)
        for step in [.abort, .ended, .begin, .commit, .endingFailed] as [Step] { take(step, &machine) }
        // The transaction may have been committed.
        #expect(!machine.canAbort && !machine.hasUnfinishedAbort)
        let afterCommit = #expect(throws: KafkaError.self) { try machine.begin(isVersion2: true) }
        #expect(afterCommit?.message.contains("commitTransaction() again") == true)
    }

    private func inTransaction(isVersion2: Bool) -> Machine {
        var machine = Machine()
        for step in Self.ready + [.begin] { take(step, &machine, isVersion2: isVersion2) }
        return machine
    }

    @Test("version 1: records are sent after their partition was added, and only one request to add it is in progress")
    func admitting() {
        var machine = inTransaction(isVersion2: false)
        let partitions = [TopicPartition("t", 0), TopicPartition("t", 1)]
        var (admitted, toAdd) = machine.admit([partitions[0]])
        #expect(admitted == [] && toAdd == [partitions[0]])
        #expect(machine.start == .no)
        // Another partition waits until the first request was answered.
        (admitted, toAdd) = machine.admit(partitions)
        #expect(admitted == [] && toAdd == [])
        machine.added([partitions[0]])
        #expect(machine.start == .yes)
        (admitted, toAdd) = machine.admit(partitions)
        #expect(admitted == [partitions[0]] && toAdd == [partitions[1]])
        machine.addingFailed(isCertain: true)
        (admitted, toAdd) = machine.admit(partitions)
        #expect(toAdd == [partitions[1]])
        machine.added([partitions[1]])
        take(.commit, &machine)
        #expect(machine.admit(partitions).admitted == partitions)
        take(.ended, &machine)
        take(.begin, &machine)
        #expect(machine.start == .no)
        #expect(machine.admit(partitions).toAdd == partitions)
    }

    @Test("version 2: records are sent at once, which begins the transaction")
    func admittingVersion2() {
        var machine = inTransaction(isVersion2: true)
        #expect(machine.start == .no)
        let (admitted, toAdd) = machine.admit([TopicPartition("t")])
        #expect(admitted == [TopicPartition("t")] && toAdd == [])
        #expect(machine.start == .yes)
    }

    @Test("nothing is sent outside of a transaction, or in one that must be aborted")
    func notAdmitting() {
        let outside: [[Step]] = [
            Self.ready, Self.ready + [.begin, .abort], Self.ready + [.begin, .abortableError],
            Self.ready + [.begin, .fatalError], Self.ready + [.begin, .commit, .ended],
        ]
        for steps in outside {
            var machine = Machine()
            for step in steps { take(step, &machine, isVersion2: true) }
            #expect(!machine.isSending)
            #expect(machine.admit([TopicPartition("t")]).admitted == [])
            #expect(machine.start == .no)
        }
    }

    @Test("a group is added to the transaction once; with version 2 committing its offsets adds it")
    func groups() throws {
        var machine = inTransaction(isVersion2: false)
        var needsAdding = try machine.beginOffsets(of: "g")
        #expect(needsAdding)
        machine.added(group: "g")
        needsAdding = try machine.beginOffsets(of: "g")
        #expect(!needsAdding)
        needsAdding = try machine.beginOffsets(of: "h")
        #expect(needsAdding)
        var second = inTransaction(isVersion2: true)
        needsAdding = try second.beginOffsets(of: "g")
        #expect(!needsAdding)
        #expect(second.start == .yes)
    }

    @Test("another epoch is requested if records of the transaction may still be in flight")
    func epochs() {
        var machine = inTransaction(isVersion2: false)
        take(.abort, &machine)
        #expect(!machine.needsEpoch)
        machine.numberedBatchLost()
        #expect(machine.needsEpoch)
        machine.ended(as: Self.second)
        #expect(!machine.needsEpoch)
        #expect(machine.identity == Self.second)
        take(.begin, &machine)
        take(.abortableError, &machine)
        #expect(machine.needsEpoch)
    }

    @Test("a request that may have begun the transaction is remembered")
    func start() {
        var machine = inTransaction(isVersion2: false)
        _ = machine.admit([TopicPartition("t")])
        machine.addingFailed(isCertain: false)
        #expect(machine.start == .maybe)
        machine.added(group: "g")
        #expect(machine.start == .yes)
        machine.addingFailed(isCertain: false)
        #expect(machine.start == .yes)
    }
}
