/// A member of a classic group, as the leader sees it.
struct GroupMember: Sendable, Equatable {
    let id: String
    /// The name of a static member (KIP-345); nil for others.
    let instanceID: String?
    let subscription: ConsumerProtocolSubscription

    init(id: String, instanceID: String? = nil, subscription: ConsumerProtocolSubscription) {
        self.id = id
        self.instanceID = instanceID
        self.subscription = subscription
    }

    /// The Java client's order: static members first, by their names, then the others by their ids.
    func precedes(_ other: GroupMember) -> Bool {
        switch (instanceID, other.instanceID) {
        case (let mine?, let theirs?): mine.precedesInJava(theirs)
        case (.some, nil): true
        case (nil, .some): false
        case (nil, nil): id.precedesInJava(other.id)
        }
    }
}

extension String {
    /// Whether this string sorts first in Java, which compares UTF-16 units. Swift compares canonical forms.
    func precedesInJava(_ other: String) -> Bool { utf16.lexicographicallyPrecedes(other.utf16) }
}
