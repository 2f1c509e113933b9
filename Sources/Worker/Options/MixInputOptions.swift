import ArgumentParser
import MediaKit

/// What is set for single inputs of a mix.
struct MixInputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Decibels, such as 1=-12.", valueName: "n=dB"))
    var inputGain: [NumberedValue<Double>] = []
    @Option(help: ArgumentHelp("When it begins in the mix.", valueName: "n=time"))
    var delay: [NumberedValue<Seconds>] = []
    @Option(help: ArgumentHelp("Where what is used of it begins.", valueName: "n=time"))
    var from: [NumberedValue<Seconds>] = []
    @Option(help: ArgumentHelp("Where what is used of it ends.", valueName: "n=time"))
    var to: [NumberedValue<Seconds>] = []
    @Option(help: ArgumentHelp("How long it comes up from silence.", valueName: "n=time"))
    var fadeIn: [NumberedValue<Seconds>] = []
    @Option(help: ArgumentHelp("How long it goes down to silence.", valueName: "n=time"))
    var fadeOut: [NumberedValue<Seconds>] = []
    @Option(help: ArgumentHelp("Begin it anew whenever it ends.", valueName: "n"))
    var loop: [Int] = []
    @Option(help: ArgumentHelp("Its sound stream, counted from 0.", valueName: "n=stream"))
    var inputStream: [NumberedValue<Int>] = []
    @Option(help: ArgumentHelp("Lower it while another input is heard: 1=0 lowers 1 under 0.", valueName: "n=key"))
    var duck: [NumberedValue<Int>] = []
    @Option(help: "Decibels by which --duck lowers (default: 12).")
    var duckAmount: Double?
    @Option(parsing: .unconditional, help: "Decibels over which the other input is heard (default: -40).")
    var duckThreshold: Double?
    @Option(help: "Seconds that lowering takes (default: 0.1).")
    var duckAttack: Double?
    @Option(help: "Seconds that raising takes (default: 0.8).")
    var duckRelease: Double?

    func validate() throws {
        if duck.isEmpty, [duckAmount, duckThreshold, duckAttack, duckRelease].contains(where: { $0 != nil }) {
            throw ValidationError("--duck-amount, --duck-threshold, --duck-attack and --duck-release need --duck.")
        }
    }

    /// - Throws: `ValidationError` if a value is for an input that there is not.
    func requireInputs(_ count: Int) throws {
        let numbers =
            inputGain.map(\.number) + [delay, from, to, fadeIn, fadeOut].flatMap { $0.map(\.number) } + loop
            + [inputStream, duck].flatMap { $0.map(\.number) }
        if let wrong = numbers.first(where: { !(0..<count).contains($0) }) {
            throw ValidationError("There is no input \(wrong); there are \(count), counted from 0.")
        }
    }

    /// The inputs at these locations, as they were set.
    func inputs(_ locations: some Sequence<String>) -> [MixInput] {
        var inputs = locations.map { MixInput(input: $0) }
        for item in inputGain { inputs[item.number].gain = item.value }
        for item in delay { inputs[item.number].delay = item.value.value }
        for item in from { inputs[item.number].start = item.value.value }
        for item in to { inputs[item.number].end = item.value.value }
        for item in fadeIn { inputs[item.number].fadeIn = item.value.value }
        for item in fadeOut { inputs[item.number].fadeOut = item.value.value }
        for item in loop { inputs[item].loop = true }
        for item in inputStream { inputs[item.number].track = item.value }
        for item in duck {
            var ducking = Ducking(key: item.value)
            if let duckAmount { ducking.amount = duckAmount }
            if let duckThreshold { ducking.threshold = duckThreshold }
            if let duckAttack { ducking.attack = duckAttack }
            if let duckRelease { ducking.release = duckRelease }
            inputs[item.number].duck = ducking
        }
        return inputs
    }
}

/// A value for the input of that number: "1=-12".
struct NumberedValue<Value: ExpressibleByArgument>: ExpressibleByArgument {
    var number: Int
    var value: Value

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int(parts[0]), number >= 0, let value = Value(argument: String(parts[1]))
        else { return nil }
        self.number = number
        self.value = value
    }
}
