"""What a QuPath project of ours says to people, and its scripts."""

README = """\
Images to annotate in QuPath (https://qupath.github.io)

1. Open project.qpproj: drag it onto QuPath's window. If QuPath asks where the images are,
   choose "Search...", select the folder "images" of this project, and then "Apply changes".
2. Choose Automate > Project scripts > 1 import annotations, and Run > Run. It puts what has been
   annotated so far on the images, and sets how large a pixel is. Open an image afterwards.
3. Paint: the brush (B) and the wand (W) draw; give each annotation a class from the list at the
   left. Where annotations overlap, the smaller one counts. The class "ambiguous" is for places
   where you have looked and cannot tell; what has no annotation stays unlabelled. Save each image
   (Ctrl+S).
4. Choose Automate > Project scripts > 2 export annotations, and Run > Run: the folder
   "annotations" then holds a GeoJSON file for each image.
5. Whoever runs hdgan reads them with
   hdgan import-annotations SAMPLES annotations OUTPUT --classes CLASSES

If project.qpproj does not open in your version of QuPath, create a new project in an empty folder,
drag the files of the folder "images" into it, copy "annotations", "classifiers", "scripts" and
"spacing.json" next to the new project, and go on with step 2. The project was made after the files
that QuPath 0.5 and 0.6 write, but was not tried with every version.
"""
"""For pathologists."""

_SHARED = """\
import groovy.json.JsonSlurper
import qupath.lib.images.ImageData
import qupath.lib.io.PathIO

def project = getProject()
def folder = project.getPath().getParent().toFile()
// An image that was added by hand is called by its file.
def stem = { name -> name.toLowerCase().endsWith('.png') ? name[0..-5] : name }
"""

IMPORT_SCRIPT = (
    """\
// Puts annotations/NAME.geojson on each image of the project that has no annotations yet.
"""
    + _SHARED
    + """
def spacings = [:]
def table = new File(folder, 'spacing.json')
if (table.exists())
    spacings = new JsonSlurper().parse(table, 'UTF-8')

project.getImageList().each { entry ->
    def name = stem(entry.getImageName())
    def file = new File(new File(folder, 'annotations'), name + '.geojson')
    def imageData = entry.readImageData()
    imageData.setImageType(ImageData.ImageType.BRIGHTFIELD_OTHER)
    if (spacings[name] != null)
        setPixelSizeMicrons(imageData, spacings[name], spacings[name], null)
    def hierarchy = imageData.getHierarchy()
    def isNew = hierarchy.getAnnotationObjects().isEmpty()
    if (isNew && file.exists())
        hierarchy.addObjects(PathIO.readObjects(file.toPath()))
    entry.saveImageData(imageData)
    def count = hierarchy.getAnnotationObjects().size()
    println name + (isNew ? ': ' : ': left as it is, with ') + count + ' annotations'
}
project.syncChanges()
println 'Done. If an image is open, choose File > Reload data to see its annotations.'
"""
)
"""Annotations from files to the project."""

EXPORT_SCRIPT = (
    """\
// Writes the saved annotations of each image of the project to annotations/NAME.geojson.
"""
    + _SHARED.replace("import groovy.json.JsonSlurper\nimport qupath.lib.images.ImageData\n", "")
    + """
def target = new File(folder, 'annotations')
target.mkdirs()

project.getImageList().each { entry ->
    def name = stem(entry.getImageName())
    // Large ones first: those inside others then lie on top.
    def annotations = entry.readHierarchy().getAnnotationObjects().findAll { it.getROI().isArea() }
    annotations = annotations.sort { -it.getROI().getArea() }
    PathIO.exportObjectsAsGeoJSON(new File(target, name + '.geojson'), annotations,
            PathIO.GeoJsonExportOptions.FEATURE_COLLECTION)
    println name + ': ' + annotations.size() + ' annotations'
}
"""
)
"""Annotations from the project to files."""
