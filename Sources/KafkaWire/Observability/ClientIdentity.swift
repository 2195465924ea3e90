import Concurrency

/// Identifies a client in this process: by its `client.id`, and a number among the clients with the same id.
///
/// Without the number, two clients with the same id would overwrite each other's gauges. It is the lowest free number,
/// from 1, so that an application which creates many clients in turn does not get new metrics for each.
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

    /// The metadata of each log line.
    var metadata: [String: String] {
        instance == 1
            ? ["client.id": clientID] : ["client.id": clientID, "client.instance": "\(instance)"]
    }

    /// The dimensions of each instrument.
    var dimensions: [(String, String)] { [("client.id", clientID), ("client.instance", "\(instance)")] }
}
