using System.Globalization;

namespace KvPareto.Tasks.Synthetic;

/// <summary>The vocabulary of the synthetic texts. Every entry is one plain English word.</summary>
internal static class Words
{
    /// <summary>People.</summary>
    public static readonly string[] Names = Split(
        "Adam Alice Anna Arthur Bella Ben Boris Bruno Carla Carl Cecil Clara Daniel Dora Edgar Ella Emil Emma Eric Eva Felix Flora Frank "
        + "Fred George Gina Greta Hanna Harry Helen Henry Hugo Ida Igor Irene Ivan Jack Jane Jonas Julia Karl Kate Klara Laura Leo Lena "
        + "Linda Lucas Maria Mark Martin Mary Max Mona Nadia Nina Nora Oscar Otto Paul Peter Petra Rita Robert Rosa Ruth Sam Sara Simon "
        + "Sofia Stella Susan Theo Tina Tom Vera Victor Walter Wanda William");

    /// <summary>Animals, as pets, visitors and sorts of things.</summary>
    public static readonly string[] Animals = Split(
        "badger bear beaver camel cat crow deer dog donkey duck eagle falcon ferret fox frog goat goose hamster hare hawk hedgehog heron "
        + "horse lizard llama lynx mole monkey mouse otter owl parrot pigeon pony rabbit rat raven seal sheep snake spider squirrel swan "
        + "tiger toad turtle weasel wolf");

    /// <summary>Rooms and buildings where things are kept.</summary>
    public static readonly string[] Places = Split(
        "attic bakery barn basement bathroom bedroom cabin castle cellar chapel closet cottage garage garden greenhouse hall hut kitchen "
        + "laundry library lighthouse loft mill museum nursery office pantry school shed stable station studio tavern tent theater tower "
        + "warehouse workshop");

    /// <summary>Trades, all beginning with a consonant.</summary>
    public static readonly string[] Jobs = Split(
        "baker banker barber butcher captain carpenter clerk cook dancer dentist doctor driver farmer fisher gardener guard hunter judge "
        + "lawyer mason miner nurse painter pilot plumber poet printer sailor singer smith soldier tailor teacher waiter weaver writer");

    /// <summary>Cities.</summary>
    public static readonly string[] Cities = Split(
        "Athens Berlin Boston Cairo Dallas Delhi Denver Dublin Geneva Havana Kiev Lima Lisbon London Madrid Milan Moscow Munich Naples "
        + "Oslo Paris Prague Quito Riga Rome Seoul Sydney Tokyo Venice Vienna Warsaw Zurich");

    /// <summary>Things people own.</summary>
    public static readonly string[] Objects = Split(
        "anchor basket bell blanket book bottle bowl box bucket camera candle carpet clock coin compass crown cup diary flag globe helmet "
        + "jar kettle key ladder lamp lantern letter map medal mirror necklace needle painting pen pillow plate puzzle radio ring rope "
        + "statue suitcase sword telescope ticket umbrella vase violin watch whistle");

    /// <summary>Sorts of things for few-shot labels: no word is in two sorts.</summary>
    public static readonly string[][] Sorts =
    [
        Split("apple apricot banana cherry fig grape lemon lime mango melon peach pear pineapple plum raspberry strawberry"),
        Split("bear camel cat deer dog fox goat horse monkey mouse rabbit rat sheep snake tiger wolf"),
        Split("axe chisel drill file hammer knife pliers rake saw scissors screwdriver shovel sickle spade tongs wrench"),
        Split("apron belt blouse boot cap coat dress glove hat jacket pants scarf shirt shoe skirt sock"),
        Split("banjo cello clarinet drum fiddle flute guitar harp horn lute oboe organ piano trombone trumpet tuba"),
        Split("bicycle boat bus canoe car carriage cart ferry plane scooter ship sled taxi train tram truck"),
        Split("armchair bed bench bookcase cabinet chair couch cradle cupboard desk dresser shelf sofa stool table wardrobe"),
        Split("ale beer brandy cider cocoa coffee gin juice milk rum soda tea vodka water whisky wine"),
    ];

    /// <summary>Labels of few-shot examples.</summary>
    public static readonly string[] Labels = Split(
        "amber black blue brown copper crimson golden gray green ivory orange pink purple red scarlet silver violet white yellow");

    /// <summary>Places where visitors come by.</summary>
    public static readonly string[] Sights = Split("bridge fountain gate harbor market monument pond square stage well");

    /// <summary>Filler: how things are.</summary>
    public static readonly string[] Adjectives = Split(
        "bright broad calm clear cold cool damp dark deep dry dull dusty faint fresh gentle grand heavy high long low mild "
        + "misty narrow pale plain proud quiet rough sharp silent slow small soft strange strong tall thick thin warm wide wild young");

    /// <summary>Filler: land and sky.</summary>
    public static readonly string[] Scenery = Split(
        "avenue beach canal cliff cloud coast creek desert farm fence field forest grove hedge hill island lake lane meadow moon mountain "
        + "orchard park path plain river road rock shore sky stream street sun trail valley village wall wind wood yard");

    /// <summary>Filler: times.</summary>
    public static readonly string[] Times = Split(
        "afternoon autumn dawn day dusk evening hour midnight month morning night noon season spring summer week winter year");

    /// <summary>Codes of three digits.</summary>
    public static readonly string[] Codes =
        [.. Enumerable.Range(100, 900).Select(code => code.ToString(CultureInfo.InvariantCulture))];

    private static string[] Split(string words) => words.Split(' ');
}
