/// Finds the values of a plan's paths in a message, in one pass over its bytes.
///
/// Messages of one kind usually have their fields in the same order. The scanner remembers which field followed which,
/// and compares the expected name before it searches for the field. Nothing is allocated per message.
@safe struct MessageScanner: ~Copyable {
    /// A top-level field that no path begins with, from its name's opening quote to its value's end.
    struct UnusedField {
        let offset: Int
        let length: Int
        let nameLength: Int
    }

    let tree: PathTree
    /// Whether a message must be an object, because a path begins with a field.
    private let needsObject: Bool
    let slots: UnsafeMutablePointer<JSONSlot>
    /// For each field the index of the field that followed it last time.
    private let successors: UnsafeMutablePointer<Int32>
    /// For each entry with a child, the generation of the message that had it last.
    private let seen: UnsafeMutablePointer<UInt32>
    let nesting = NestingBits()
    private(set) var generation: UInt32 = 0
    private(set) var unused: [UnusedField] = []
    private let collectsUnused: Bool
    private(set) var isUnusual = false
    private(set) var problem = JSONProblem.none
    /// The position of the problem in the message.
    private(set) var position = 0

    private(set) var template = MessageTemplate()
    /// Whether forms are learnt. false if a path is a prefix of another one or is the whole message.
    var canLearn: Bool
    private var isLearning = false
    /// The number of messages of the expected form since it was learnt. (`misses` counts valid messages of other forms
    /// since the last hit.)
    private(set) var hits = 0
    /// The total number of messages of the expected form, without those of the fast path.
    private(set) var allHits = 0
    private var misses = 0
    /// The number of messages of other forms after which a new form is learnt.
    private var patience = 1

    /// - Parameter collectsUnused: Whether to fill `unused`.
    init(_ paths: [JSONPath], collectsUnused: Bool) {
        tree = PathTree(paths)
        self.collectsUnused = collectsUnused
        needsObject =
            collectsUnused
            || paths.contains {
                if case .field? = $0.steps.first { true } else { false }
            }
        unsafe slots = .allocate(capacity: max(tree.slotCount, 1))
        unsafe slots.initialize(repeating: JSONSlot(), count: max(tree.slotCount, 1))
        let entries = tree.entryCount
        canLearn = tree.rootSlot < 0 && entries > 0 && tree.pathsEndAtLeaves
        unsafe successors = .allocate(capacity: entries + 1)
        for index in 0...entries {
            unsafe (successors + index).initialize(to: Int32(index + 1 < entries ? index + 1 : 0))
        }
        unsafe seen = .allocate(capacity: entries + 1)
        unsafe seen.initialize(repeating: 0, count: entries + 1)
    }

    deinit {
        unsafe slots.deallocate()
        unsafe successors.deallocate()
        unsafe seen.deallocate()
        nesting.deallocate()
    }

    /// The value of a path in the last message; nil if the message lacks it.
    @inline(__always)
    func slot(_ index: Int) -> JSONSlot? {
        unsafe slots[index].generation == generation ? slots[index] : nil
    }

    /// A pointer to a slot, valid as long as the scanner. Compare its generation with the scanner's.
    @inline(__always)
    func pointer(_ index: Int) -> UnsafePointer<JSONSlot> { unsafe UnsafePointer(slots + index) }

    /// Scans a message.
    ///
    /// - Returns: Whether the message is valid. If not, `problem` and `position` say why.
    mutating func scan(_ text: ByteView) -> Bool {
        startMessage()
        var scanner = JSONScanner(text, nesting: nesting)
        if template.isUsable {
            if unsafe template.scan(&scanner, slots, generation),
                !scanner.hasNonASCII || text.isUTF8
            {
                isUnusual = scanner.isUnusual
                noteHit()
                allHits &+= 1
                return true
            }
            // Discard the slots that the form has filled.
            startMessage()
            scanner = JSONScanner(text, nesting: nesting)
        }
        return scanAnyForm(&scanner)
    }

    /// Counts a message of the expected form.
    @inline(__always)
    mutating func noteHit() {
        hits &+= 1
        misses = 0
    }

    /// Scans a message of any form. Learns its form if the last messages didn't have the expected one.
    @inline(never)
    private mutating func scanAnyForm(_ scanner: inout JSONScanner) -> Bool {
        let learns = canLearn && misses >= patience
        if learns {
            // Constantly changing forms are learnt less and less often.
            patience = hits >= 8 ? 1 : min(patience * 2, 64)
            (hits, misses) = (0, 0)
            template.begin()
        }
        isLearning = learns
        let end = root(&scanner)
        isUnusual = scanner.isUnusual
        guard end >= 0 else {
            problem = scanner.problem
            position = scanner.problemPosition
            return false
        }
        if isLearning, unused.isEmpty { template.finish(scanner.text) }
        if !learns { misses &+= 1 }
        return true
    }

    /// Records a value of a message whose form is being learnt.
    @inline(__always)
    private mutating func learn(_ text: ByteView, from start: Int, to end: Int, slot: Int, depth: Int) {
        if isLearning, end >= 0 { template.note(text, from: start, to: end, slot: slot, depth: depth) }
    }

    @inline(__always)
    private mutating func startMessage() {
        generation &+= 1
        if generation == 0 {
            // After 2^32 messages the generation wraps around.
            for index in 0..<tree.slotCount { unsafe slots[index].generation = 0 }
            for index in 0..<tree.entryCount { unsafe seen[index] = 0 }
            generation = 1
        }
        if !unused.isEmpty { unused.removeAll(keepingCapacity: true) }
    }

    @inline(__always)
    private mutating func root(_ scanner: inout JSONScanner) -> Int {
        let start = scanner.skipSpace(0)
        var slot = JSONSlot()
        if needsObject, scanner.text.byte(orZero: start) != UInt8(ascii: "{") {
            // Invalid JSON takes precedence as the reason.
            guard scanner.value(at: start, into: &slot, depth: 0) >= 0 else { return -1 }
            return scanner.fail(.notAnObject, at: start)
        }
        var end = value(&scanner, at: start, child: 0, depth: 0, isRoot: true, &slot)
        guard end >= 0 else { return -1 }
        if tree.rootSlot >= 0 {
            slot.generation = generation
            unsafe slots[tree.rootSlot] = slot
        }
        end = scanner.skipSpace(end)
        guard end == scanner.text.count else { return scanner.fail(.trailing, at: end) }
        guard !scanner.hasNonASCII || scanner.text.isUTF8 else { return scanner.fail(.encoding, at: 0) }
        return end
    }

    /// Scans a value that paths may lead into.
    @inline(__always)
    private mutating func value(
        _ scanner: inout JSONScanner, at start: Int, child: Int, depth: Int, isRoot: Bool, _ slot: inout JSONSlot
    ) -> Int {
        let first = scanner.text.byte(orZero: start)
        let end: Int
        if first == UInt8(ascii: "{"), isRoot || tree.hasFields(child) {
            end = object(&scanner, at: start, child, depth: depth &+ 1, isRoot: isRoot)
            slot.kind = .object
        } else if first == UInt8(ascii: "["), tree.hasElements(child) {
            end = array(&scanner, at: start, child, depth: depth &+ 1)
            slot.kind = .array
        } else {
            return scanner.value(at: start, into: &slot, depth: depth)
        }
        slot.offset = UInt32(truncatingIfNeeded: start)
        slot.length = UInt32(truncatingIfNeeded: end &- start)
        return end
    }

    private mutating func object(
        _ scanner: inout JSONScanner, at start: Int, _ node: Int, depth: Int, isRoot: Bool
    ) -> Int {
        let text = scanner.text
        var position = scanner.skipSpace(start &+ 1)
        if text.byte(orZero: position) == UInt8(ascii: "}") { return position &+ 1 }
        let firstField = Int(unsafe tree.nodes[node].firstField)
        let lastField = firstField &+ Int(unsafe tree.nodes[node].fieldCount) &- 1
        var expected = firstField
        /// The previous known field; -1 before the first one.
        var previous = -1
        while true {
            guard text.byte(orZero: position) == UInt8(ascii: "\"") else { return scanner.fail(.key, at: position) }
            let name = position &+ 1
            var entry: Int
            if firstField <= lastField, tree.matches(expected, text, at: name) {
                entry = expected
                position = name &+ tree.nameLength(entry) &+ 1
            } else {
                var hasEscapes = false
                position = scanner.string(from: name, &hasEscapes)
                guard position >= 0 else { return -1 }
                let field = text.slice(name, position &- 1 &- name)
                entry = hasEscapes ? tree.field(escaped: field, of: node) : tree.field(field, of: node)
                if entry >= 0, previous >= 0 { unsafe successors[previous] = Int32(truncatingIfNeeded: entry) }
            }
            let nameEnd = position
            position = scanner.skipSpace(position)
            guard text.byte(orZero: position) == UInt8(ascii: ":") else { return scanner.fail(.colon, at: position) }
            position = scanner.skipSpace(position &+ 1)
            if entry >= 0 {
                position = take(&scanner, at: position, entry, depth: depth)
                previous = entry
                let next = Int(unsafe successors[entry])
                expected = next >= firstField && next <= lastField ? next : firstField
            } else {
                var slot = JSONSlot()
                let start = position
                position = scanner.value(at: start, into: &slot, depth: depth)
                learn(text, from: start, to: position, slot: -1, depth: depth)
                if isRoot, collectsUnused, position >= 0 {
                    unused.append(
                        UnusedField(
                            offset: name &- 1, length: position &- name &+ 1, nameLength: nameEnd &- name &+ 1))
                }
            }
            guard position >= 0 else { return -1 }
            position = scanner.skipSpace(position)
            let next = text.byte(orZero: position)
            guard next == UInt8(ascii: ",") else {
                return next == UInt8(ascii: "}") ? position &+ 1 : scanner.fail(.objectEnd, at: position)
            }
            position = scanner.skipSpace(position &+ 1)
        }
    }

    private mutating func array(_ scanner: inout JSONScanner, at start: Int, _ node: Int, depth: Int) -> Int {
        var position = scanner.skipSpace(start &+ 1)
        if scanner.text.byte(orZero: position) == UInt8(ascii: "]") { return position &+ 1 }
        var index = 0
        var entry = Int(unsafe tree.nodes[node].firstElement)
        let end = entry &+ Int(unsafe tree.nodes[node].elementCount)
        while true {
            if entry < end, unsafe tree.entries[entry].element == index {
                position = take(&scanner, at: position, entry, depth: depth)
                entry &+= 1
            } else {
                var slot = JSONSlot()
                let start = position
                position = scanner.value(at: start, into: &slot, depth: depth)
                learn(scanner.text, from: start, to: position, slot: -1, depth: depth)
            }
            guard position >= 0 else { return -1 }
            index &+= 1
            position = scanner.skipSpace(position)
            let next = scanner.text.byte(orZero: position)
            guard next == UInt8(ascii: ",") else {
                return next == UInt8(ascii: "]") ? position &+ 1 : scanner.fail(.arrayEnd, at: position)
            }
            position = scanner.skipSpace(position &+ 1)
        }
    }

    /// Scans the value of an entry.
    @inline(__always)
    private mutating func take(_ scanner: inout JSONScanner, at start: Int, _ entry: Int, depth: Int) -> Int {
        let slot = Int(unsafe tree.entries[entry].slot)
        let child = Int(unsafe tree.entries[entry].child)
        guard child < 0 else { return takeBranch(&scanner, at: start, entry, slot: slot, child: child, depth: depth) }
        unsafe slots[slot].generation = generation
        let end = unsafe scanner.value(at: start, into: &slots[slot], depth: depth)
        learn(scanner.text, from: start, to: end, slot: slot, depth: depth)
        return end
    }

    @inline(never)
    private mutating func takeBranch(
        _ scanner: inout JSONScanner, at start: Int, _ entry: Int, slot: Int, child: Int, depth: Int
    ) -> Int {
        if unsafe seen[entry] == generation {
            // The last duplicate wins, so discard the values of the earlier one. A form can't express that.
            isLearning = false
            let first = Int(unsafe tree.entries[entry].firstSlot)
            for index in first..<(first &+ Int(unsafe tree.entries[entry].slotCount)) {
                unsafe slots[index].generation = 0
            }
        }
        unsafe seen[entry] = generation
        var found = JSONSlot()
        // A form records whether paths lead into this value; a value of another type wouldn't match it.
        if !tree.leadsInto(child, scanner.text.byte(orZero: start)) { isLearning = false }
        let end = value(&scanner, at: start, child: child, depth: depth, isRoot: false, &found)
        if slot >= 0 {
            found.generation = generation
            unsafe slots[slot] = found
        }
        return end
    }
}
