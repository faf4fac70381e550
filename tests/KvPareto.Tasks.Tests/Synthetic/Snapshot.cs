namespace KvPareto.Tasks.Tests.Synthetic;

/// <summary>The first sample of each kind at seed 7 and length 96: what a seed gives must never change.</summary>
internal static class Snapshot
{
    public const string Fact =
        """{"input":"What is the pet of Klara?","context":"The broad night turned pale at last. Of all fruit Klara likes the """
        + @"raspberry best. Nothing stirred along the bright park. The pet of Klara is the bear. There was no sound from the broad "
        + @"coast. Nothing stirred along the misty street. There was no sound from the slow farm.\nNothing stirred along the fresh "
        + @"village. Of all fruit Jane likes the fig "
        + """best.","answers":["bear"],"length":71,"dataset":"fact","language":"en","all_classes":null,"_id":"fact-7-96-0"}""";

    public const string TwoHop =
        """{"input":"Where does the pet of Alice sleep?","context":"Every autumn brought strong weather. The mole sleeps in the """
        + @"tower. The spring passed, bright and small. Every night the hare sleeps in the school. Alice has a pet hare. All "
        + @"agreed that the desert had never been so soft. The pet of Tina is the mole.\nAll agreed that the village had never "
        + @"been so proud. It was a warm and thin "
        + """night.","answers":["school"],"length":72,"dataset":"two-hop","language":"en","all_classes":null,"_id":"two-hop-7-96-0"}""";

    public const string Count =
        """{"input":"How many times did the camel come to the pond?","context":"Every spring brought grand weather. Then the """
        + @"camel came to the pond. At night the monkey came to the pond. By the end of the season it grew high. It was a strange "
        + @"and strong dusk. Beyond the sky the air was cold and narrow. From far away the wind seemed soft.\nFew travelers ever "
        + @"crossed the thick farm. Every dawn brought deep "
        + """weather.","answers":["1"],"length":75,"dataset":"count","language":"en","all_classes":null,"_id":"count-7-96-0"}""";

    public const string Label =
        """{"input":"Into which box does the note about the tram go?","context":"Beyond the lane the air was deep and wild. Put """
        + @"the note about the pliers into the purple box. Put the note about the carriage into the green box. The note about the "
        + @"sickle goes into the purple box. Put the note about the canoe into the green box. There was no sound from the slow "
        + @"sun. Every dusk brought bright "
        + @"weather."",""answers"":[""green""],""length"":73,""dataset"":""label"","
        + @"""language"":""en"",""all_classes"":[""green"",""purple""],""_id"":""label-7-96-0""}";
}
