import Concurrency

/// What distinguishes a client from the others in this process: its `client.id`, and a number among those that share it.
///
/// Without the number, two clients with the same id would overwrite each other's gauges. The number is the lowest that is
/// free, from 1 on, so that an application which creates clients again and again doesn't get new metrics each time.
final class ClientIdentity: Sendable {
    private static let taken = Lock<[String: Set<Int>]>([:])

    let clientID: String
    let instance: Int

    init(_ clientID: String) {
        self.clientID = clientID
        instance = Self.taken.withLock { taken in
            var instance = 1
            while !taken[clientID, default: []].insert(instance).inserted { instance += 1 }
            return instance
        }
    }

    deinit {
        Self.taken.withLock { taken in
            taken[clientID]?.remove(instance)
            if taken[clientID]?.isEmpty == true { taken[clientID] = nil }
        }
    }

    /// What each line of the log has.
    var metadata: [String: String] {
        instance == 1
            ? ["client.id": clientID] : ["client.id": clientID, "client.instance": "\(instance)"]
    }

    /// The dimensions of each instrument.
    var dimensions: [(String, String)] { [("client.id", clientID), ("client.instance", "\(instance)")] }
}
