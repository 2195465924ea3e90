import Concurrency
import KafkaWire

/// Applies faults concurrently, since some take longer than a second.
final class FaultRunner: Sendable {
    private let site: Site
    private let client: KafkaClient
    private let processes: [ConsumerProcess]
    private let journal: Journal
    private let busy = Lock<Set<Fault.Target>>([])

    /// - Parameter client: The client for the cluster's administration.
    init(site: Site, client: KafkaClient, processes: [ConsumerProcess], journal: Journal) {
        self.site = site
        self.client = client
        self.processes = processes
        self.journal = journal
    }

    /// Applies a fault. Returns when it is repaired.
    func apply(_ fault: Fault) async {
        let target = fault.target
        guard busy.withLock({ $0.insert(target).inserted }) else {
            return journal.say("(skipped, since an earlier fault of this target still takes effect: \(fault))")
        }
        defer { _ = busy.withLock { $0.remove(target) } }
        journal.say("\(fault)")
        do {
            try await perform(fault)
        } catch {
            // If a server does not come back, the run notices at the end.
            journal.say("\(fault): \(error)")
        }
    }

    private func perform(_ fault: Fault) async throws {
        switch fault {
        case .killProcess(let index, let pause): note(await processes[index - 1].kill(pause: pause), fault)
        case .suspendProcess(let index, let time): note(await processes[index - 1].suspend(for: time), fault)
        case .restartProcess(let index, let pause): note(await processes[index - 1].restart(pause: pause), fault)
        case .cutDatabase: journal.say("cut \(site.cutDatabase()) connections to the database")
        case .cutBroker(let broker): journal.say("cut \(site.cutBroker(broker)) connections to broker \(broker)")
        case .restartDatabase(let stop, let pause):
            switch stop {
            case .fast: try await site.postgres.stop()
            case .immediate: try await site.postgres.stopImmediately()
            }
            try? await Task.sleep(for: pause)
            try await site.postgres.startAgain()
            journal.say("the database is back")
        case .killBroker(let broker, let pause):
            try await site.kafka.kill(broker)
            journal.say("broker \(broker) is down")
            try? await Task.sleep(for: pause)
            try await site.kafka.start(broker)
            journal.say("broker \(broker) is back")
        case .restartBroker(let broker, let pause):
            try await site.kafka.stop(broker)
            journal.say("broker \(broker) is down")
            try? await Task.sleep(for: pause)
            try await site.kafka.start(broker)
            journal.say("broker \(broker) is back")
        case .moveLeaders(let topic):
            try await site.moveLeaders(of: site.topics[topic - 1], with: client)
        }
    }

    private func note(_ didRun: Bool, _ fault: Fault) {
        if !didRun { journal.say("(without effect, since the process did not run: \(fault))") }
    }
}
