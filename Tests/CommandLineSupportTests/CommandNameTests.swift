import Testing

@testable import CommandLineSupport

@Suite struct CommandNameTests {
    private let program = Program(
        name: "plant", version: "1", abstract: "A plant.",
        commands: ["run", "letters list", "letters show"].map { name in
            Command(name: name, abstract: "Does \(name).", options: []) { _ in }
        })

    private func command(_ arguments: [String]) throws -> String? {
        guard case .run(let command, _) = try program.parse(arguments, environment: [:]) else { return nil }
        return command.name
    }

    @Test func aNameMayHaveTwoWords() throws {
        #expect(try command(["run"]) == "run")
        #expect(try command(["letters", "list"]) == "letters list")
        #expect(try command(["letters", "show"]) == "letters show")
    }

    @Test(arguments: [["letters"], ["letters", "burn"], ["letters", "--help"]])
    func aMissingSecondWordIsReported(arguments: [String]) {
        let failure = #expect(throws: Failure.self) { _ = try program.parse(arguments, environment: [:]) }
        #expect(failure?.sentence == "letters must be followed by one of list, show")
        #expect(failure?.status == .usage)
    }

    @Test func twoWordCommandsHaveHelp() throws {
        for arguments in [["letters", "list", "--help"], ["help", "letters", "list"]] {
            guard case .text(let text) = try program.parse(arguments, environment: [:]) else {
                Issue.record("no text")
                continue
            }
            #expect(text.hasPrefix("plant letters list: Does letters list.\n"))
        }
        #expect(program.helpText.contains("letters show"))
    }

    @Test func otherWordsAreNoCommands() {
        let failure = #expect(throws: Failure.self) { _ = try program.parse(["list"], environment: [:]) }
        #expect(failure?.sentence.hasPrefix("the first argument is not a command") == true)
    }
}
