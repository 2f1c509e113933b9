import CAVShim
import CLibass
print(cav_v(), ass_library_version(), av_frame_alloc() as Any)
