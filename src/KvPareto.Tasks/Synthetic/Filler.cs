namespace KvPareto.Tasks.Synthetic;

/// <summary>Sentences about land, sky and time that answer no question.</summary>
internal static class Filler
{
    private static readonly SentenceTemplate[] AboutScenery = SentenceTemplate.ParseOpeners(
        "The {0} {1} was {2} again.",
        "A {0} {1} is a fine sight.",
        "Beyond the {1} the air was {0} and {2}.",
        "Nothing stirred along the {0} {1}.",
        "The {1} looked {0} and a little {2}.",
        "From far away the {1} seemed {0}.",
        "There was no sound from the {0} {1}.",
        "Few travelers ever crossed the {0} {1}.",
        "All agreed that the {1} had never been so {0}.",
        "Long shadows fell across the {0} {1}.");

    private static readonly SentenceTemplate[] AboutTime = SentenceTemplate.ParseOpeners(
        "It was a {0} and {1} {2}.",
        "That {2} the light was {0}.",
        "The {2} passed, {0} and {1}.",
        "Every {2} brought {0} weather.",
        "By the end of the {2} it grew {0}.",
        "The {0} {2} turned {1} at last.");

    /// <summary>A random sentence.</summary>
    public static Phrase Write(SampleRandom random) => random.Below(AboutScenery.Length + AboutTime.Length) < AboutScenery.Length
        ? new Phrase(random.Pick(AboutScenery), random.Pick(Words.Adjectives), random.Pick(Words.Scenery), random.Pick(Words.Adjectives))
        : new Phrase(random.Pick(AboutTime), random.Pick(Words.Adjectives), random.Pick(Words.Adjectives), random.Pick(Words.Times));
}
