using KvPareto.Cli.Terminal;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Tests.Terminal;

public class OutcomeTests
{
    public static TheoryData<Exception, int, string?> Outcomes => new()
    {
        { new ConfigException("a.yaml: key 'x' is 1;\nallowed: 2"), 2, "a.yaml: key 'x' is 1; allowed: 2" },
        { new InsufficientMemoryException("4 GiB"), 2, "out of memory: 4 GiB; kvpareto plan says what a setting needs" },
        {
            new NotFiniteNumberException("setting w4: the logits are not finite"), 2,
            "setting w4: the logits are not finite: the model's weights are damaged, or the setting is too coarse for it"
        },
        { new OverflowException("too large"), 70, "internal error: OverflowException: too large" },
        { new DivideByZeroException("by zero"), 70, "internal error: DivideByZeroException: by zero" },
        { new OperationCanceledException(), 130, null },
    };

    /// <summary>A defect of the program's own arithmetic is not laid at the model's door.</summary>
    [Theory]
    [MemberData(nameof(Outcomes))]
    public void WhatWentWrong_IsToldInOneLine(Exception error, int code, string? line) =>
        Assert.Equal((code, line), Outcome.Of(error));
}
