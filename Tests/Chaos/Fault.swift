/// A fault that is injected during a run and repaired afterwards.
enum Fault: Equatable, Sendable {
    /// SIGKILL; another process replaces it after a pause.
    case killProcess(Int, pause: Duration)
    /// SIGSTOP, and SIGCONT after a while.
    case suspendProcess(Int, for: Duration)
    /// SIGTERM; another process replaces it after a pause.
    case restartProcess(Int, pause: Duration)
    /// Cuts all connections to the database.
    case cutDatabase
    /// Cuts all connections to one broker, including those of other brokers.
    case cutBroker(Int)
    case restartDatabase(DatabaseStop, pause: Duration)
    case killBroker(Int, pause: Duration)
    case restartBroker(Int, pause: Duration)
    /// Gives each partition of one topic another leader.
    case moveLeaders(topic: Int)

    enum DatabaseStop: Sendable, CaseIterable {
        /// Ends sessions cleanly.
        case fast
        /// Ends as in a crash, and recovers from the log. Loses commits that did not wait for the disk.
        case immediate
    }

    /// The target of a fault. Two faults never affect the same target at a time.
    enum Target: Hashable, Sendable {
        case process(Int)
        case database, brokers, connections
    }

    var target: Target {
        switch self {
        case .killProcess(let index, _), .suspendProcess(let index, _), .restartProcess(let index, _): .process(index)
        case .cutDatabase, .cutBroker: .connections
        case .restartDatabase: .database
        case .killBroker, .restartBroker, .moveLeaders: .brokers
        }
    }
}

extension Fault: CustomStringConvertible {
    var description: String {
        switch self {
        case .killProcess(let index, let pause): "kill process \(index), start again after \(pause.text)"
        case .suspendProcess(let index, let time): "suspend process \(index) for \(time.text)"
        case .restartProcess(let index, let pause): "stop process \(index) cleanly, start again after \(pause.text)"
        case .cutDatabase: "cut the connections to the database"
        case .cutBroker(let broker): "cut the connections to broker \(broker)"
        case .restartDatabase(let stop, let pause): "stop the database (\(stop)), start again after \(pause.text)"
        case .killBroker(let broker, let pause): "kill broker \(broker), start again after \(pause.text)"
        case .restartBroker(let broker, let pause): "stop broker \(broker) cleanly, start again after \(pause.text)"
        case .moveLeaders(let topic): "move the leaders of topic \(topic)"
        }
    }
}

extension Duration {
    /// The duration in seconds, with one decimal.
    var text: String {
        let tenths = (self / .milliseconds(100)).rounded()
        return "\(tenths / 10) s"
    }
}
